#![cfg(test)]

mod bed;
mod cuts;
mod guide;
mod journal;
mod kills;
mod lab;
mod plain;
mod profiles;
mod rehearsals;
mod rows;
mod runner;
mod sim;
mod ssh;
mod tidy;
mod transport;
mod upgrade;
mod windows;
mod wizard;
