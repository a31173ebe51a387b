//! How the demo speaks: numbered steps, and files indented so that what is quoted stands apart.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// Begins a step.
pub fn step(text: &str) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed) + 1;
    println!("\n{number}. {text}\n");
}

/// Shows text, indented.
pub fn quote(text: &str) {
    for line in text.lines() {
        println!("   | {line}");
    }
}

/// Shows a directory as a tree with the size of each file.
pub fn tree(directory: &Path) {
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    println!("   {name}/");
    let mut entries: Vec<_> = std::fs::read_dir(directory).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let last = entries.len().saturating_sub(1);
    for (index, entry) in entries.iter().enumerate() {
        let branch = if index == last { "`--" } else { "|--" };
        let size = entry.metadata().map_or(0, |metadata| metadata.len());
        println!("   {branch} {:<26} {size:>7} bytes", entry.file_name().to_string_lossy());
    }
}
