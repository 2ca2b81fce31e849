#![cfg(test)]

mod journal;
mod lab;
mod sim;
mod tidy;
mod transport;
