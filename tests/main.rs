#[cfg(test)]
mod lab;
