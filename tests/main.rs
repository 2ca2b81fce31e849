mod journal;
mod lab;
mod profiles;
mod tidy;
mod transport;
