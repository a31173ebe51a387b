//! Which recorded connection a live one is, and what is played of each.

pub(crate) mod fault_places;
pub(crate) mod matcher;
pub(crate) mod sources;
pub(crate) mod state;
pub(crate) mod units;
pub(crate) mod unplayed;
