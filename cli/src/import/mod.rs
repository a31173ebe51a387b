//! Recordings that other programs made, turned into cassettes: those of the super8 gem, and those of Softprobe.

pub mod ruby_gem;
pub mod softprobe;
