#![cfg(test)]

mod journal;
mod lab;
mod rows;
mod sim;
mod tidy;
mod transport;
