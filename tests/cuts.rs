//! The journal of a whole session of each product's profile, cut at every byte and gone on with from every event.

mod farms;
mod reading;
mod resuming;
