//! Checks that super8 links on a machine without a driver manager's library. `cargo xtask` needs that, because it
//! installs the driver manager.

use std::process::Command;

/// The linker must take the empty script that build.rs writes for `-lodbc`, and the script must add no symbol.
#[test]
#[cfg(target_os = "linux")]
fn nothing_of_a_driver_manager_is_needed_to_link() -> Result<(), Box<dyn std::error::Error>> {
    let out = env!("OUT_DIR");
    let object = tempfile::tempdir()?;
    let linked = Command::new("cc")
        .args(["-shared", "-nostdlib", "-Wl,--no-as-needed", "-Wl,--trace", "-L", out, "-lodbc", "-o"])
        .arg(object.path().join("nothing.so"))
        .output()?;
    let linker = String::from_utf8_lossy(&linked.stdout);
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    assert!(linker.lines().any(|line| line.contains(&format!("{out}/libodbc.so"))), "{linker}");
    Ok(())
}
