//! Progress of long work: a bar on standard error, if that is a terminal, and nothing at all otherwise.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that runs to `length` (entries, bytes, files), with a word for what is being done. Call `inc` and, at the end,
/// `finish_and_clear`.
pub fn bar(doing: &'static str, length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg:>12} [{bar:40}] {human_pos}/{human_len} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")).with_message(doing)
}
