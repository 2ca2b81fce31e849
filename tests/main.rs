#![cfg(test)]

mod journal;
mod lab;
mod profiles;
mod rows;
mod sim;
mod tidy;
mod transport;
