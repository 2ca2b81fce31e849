// `cfg(test)` holds anyway; said here, the lints know that every helper in the module belongs to a test.
#[cfg(test)]
mod journal;
mod tidy;
mod transport;
