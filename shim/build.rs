//! Lets super8 be linked where no driver manager's library is.
//!
//! odbc-sys asks for `-lodbc` because it declares the driver manager's functions. super8 takes only its types and numbers: it is
//! called by a driver manager, and looks its functions up at run time where it calls one itself. So an empty linker script stands
//! in for the library, and a machine without unixodbc-dev builds everything that `cargo xtask` needs.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    // Only linkers for ELF files read a script in place of a library.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let out = PathBuf::from(std::env::var("OUT_DIR")?);
        std::fs::write(out.join("libodbc.so"), "/* super8 links with nothing of a driver manager's */\n")?;
        println!("cargo:rustc-link-search=native={}", out.display());
    }
    Ok(())
}
