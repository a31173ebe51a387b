//! Measures what this process has used: wall time, CPU time and its largest resident size.
#![allow(unsafe_code)]

use std::time::Instant;

/// A moment from which wall and CPU time are counted.
pub struct Start {
    wall: Instant,
    cpu: u64,
}

impl Start {
    /// Starts counting now.
    pub fn now() -> Self {
        Start { wall: Instant::now(), cpu: cpu_time() }
    }

    /// Returns wall and CPU nanoseconds since then. CPU time is user and system time of all threads, also of those that
    /// have ended.
    pub fn elapsed(&self) -> (u64, u64) {
        let cpu = cpu_time() - self.cpu;
        (self.wall.elapsed().as_nanos() as u64, cpu)
    }
}

fn cpu_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the one timespec it is given; the clock always exists on Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Returns the largest resident size of this process in KiB. Reads `VmHWM`, because `ru_maxrss` survives `exec` and
/// would be the parent's.
pub fn peak_kib() -> Result<u64, String> {
    let status =
        std::fs::read_to_string("/proc/self/status").map_err(|e| format!("cannot read /proc/self/status: {e}"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.trim().strip_suffix("kB"))
        .and_then(|value| value.trim().parse().ok())
        .ok_or_else(|| "/proc/self/status has no VmHWM line in kB".to_owned())
}
