mod journal;
mod transport;
