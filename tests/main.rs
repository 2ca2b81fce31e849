mod journal;
mod lab;
mod tidy;
mod transport;
