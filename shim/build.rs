//! Lets super8 link on a machine that has no driver manager's library.
//!
//! odbc-sys asks for `-lodbc` because it declares the driver manager's functions. super8 uses only its types and
//! numbers: a driver manager calls super8, and where super8 calls one itself, it looks the functions up at run time. So
//! an empty linker script stands in for the library, and a machine without unixodbc-dev builds everything that
//! `cargo xtask` needs.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    // Only linkers for ELF files accept a script instead of a library.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let out = PathBuf::from(std::env::var("OUT_DIR")?);
        std::fs::write(out.join("libodbc.so"), "/* super8 links with nothing of a driver manager's */\n")?;
        println!("cargo:rustc-link-search=native={}", out.display());
    }
    Ok(())
}
