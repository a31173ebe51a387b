//! Turns recordings of other programs into cassettes: those of the super8 gem and of Softprobe.

pub mod ruby_gem;
pub mod softprobe;
