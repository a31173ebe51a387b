//! A machine without a driver manager's library can link super8, so that `cargo xtask` can install one.

use std::process::Command;

/// What stands in for the library is what the linker takes for `-lodbc`, and it brings no symbol.
#[test]
#[cfg(target_os = "linux")]
fn nothing_of_a_driver_manager_is_needed_to_link() -> Result<(), Box<dyn std::error::Error>> {
    let out = env!("OUT_DIR");
    let object = tempfile::tempdir()?;
    let linked = Command::new("cc")
        .args(["-shared", "-nostdlib", "-Wl,--no-as-needed", "-Wl,--trace", "-L", out, "-lodbc", "-o"])
        .arg(object.path().join("nothing.so"))
        .output()?;
    let told = String::from_utf8_lossy(&linked.stdout);
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    assert!(told.lines().any(|line| line.contains(&format!("{out}/libodbc.so"))), "{told}");
    Ok(())
}
