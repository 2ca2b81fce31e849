
mod transport;
