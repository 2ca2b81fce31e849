#![cfg(test)]

mod journal;
mod lab;
mod plain;
mod sim;
mod tidy;
mod transport;
