#![cfg(test)]

mod bed;
mod journal;
mod lab;
mod plain;
mod profiles;
mod rows;
mod runner;
mod sim;
mod tidy;
mod transport;
mod upgrade;
mod wizard;
