//! Plays a log: finds what comes next, hands it out, waits for turns, and lets faults strike.

pub(crate) mod any_order;
pub(crate) mod by_hand;
pub(crate) mod candidate;
pub(crate) mod connection_answers;
pub(crate) mod fault_profiles;
pub(crate) mod fault_sessions;
pub(crate) mod faults;
pub(crate) mod finish;
pub(crate) mod history;
pub(crate) mod log_player;
pub(crate) mod parts;
pub(crate) mod playing;
pub(crate) mod rematch;
pub(crate) mod result_answers;
pub(crate) mod scroll;
pub(crate) mod turn;
