mod journal;
mod tidy;
mod transport;
