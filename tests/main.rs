mod journal;
mod sim;
