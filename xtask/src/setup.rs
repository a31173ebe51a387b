//! Installs what a bare Debian lacks: packages, and the Python environment. Doing it twice changes nothing.

use crate::command::{Done, cargo, run};
use std::path::Path;
use std::process::{Command, Stdio};
use super8_tests::{node, packages, python, server};

/// A script that keeps Debian's packages from starting the services that they install.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// The services that Debian would start, now and at every boot.
const SERVICES: [&str; 6] = ["postgresql", "mariadb", "pdns", "proftpd", "kamailio", "freeradius"];

/// Installs everything that the tests and the demo need.
pub fn setup() -> Done {
    for_demo()?;
    for_tests()
}

/// Installs what only the tests need, beside what [`for_demo`] has installed.
pub fn for_tests() -> Done {
    python::install_drivers()?;
    python::install_columns()?;
    node::install()?;
    python::packaging().map(drop)
}

/// Installs everything that the demo needs, and most of what the tests need.
pub fn for_demo() -> Done {
    install(packages::DEBIAN)?;
    // Debian's npm conflicts with other builds of Node.js, which bring their own npm
    if packages::found("npm").is_none() {
        install(&["npm"])?;
    }
    if packages::cargo_nextest().is_none() {
        println!("installing cargo-nextest");
        run(cargo(&["install", "--locked", "cargo-nextest"]))?;
    }
    python::install()
}

/// Installs those of `wanted` that are not there.
pub fn install(wanted: &[&str]) -> Done {
    let missing: Vec<&str> = wanted.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing Debian's packages: {}", missing.join(" "));
    let _quiet = Quiet::begin()?;
    let fetch = |words: &[&str]| run(privileged("apt-get", words));
    let mut words = vec!["install", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "-q"];
    words.extend(&missing);
    // The existing package lists may be good enough; if not, they are updated first.
    if fetch(&words).is_err() {
        fetch(&["update", "-q"])?;
        fetch(&words)?;
    }
    for service in SERVICES.into_iter().filter(|service| missing.iter().any(|package| package.starts_with(service))) {
        leave_off(service);
    }
    Ok(())
}

fn installed(package: &str) -> bool {
    let asked = Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]).output();
    asked.is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

/// Stops and disables a service that came with a package. The tests start their own servers.
fn leave_off(service: &str) {
    if Path::new("/run/systemd/system").exists() {
        let _ = run(privileged("systemctl", &["disable", "--now", service]));
    }
}

fn privileged(program: &str, words: &[&str]) -> Command {
    let mut command = if server::is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=DEBIAN_FRONTEND", program]);
        sudo
    };
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Keeps packages from starting services while it lives.
struct Quiet {
    ours: bool,
}

impl Quiet {
    fn begin() -> Result<Quiet, String> {
        if Path::new(POLICY).exists() {
            return Ok(Quiet { ours: false });
        }
        let script = format!("printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}");
        let status = privileged("sh", &["-c", &script]).stdin(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(Quiet { ours: true }),
            other => Err(format!("cannot write {POLICY}, which keeps servers from starting ({other:?})")),
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.ours {
            let _ = privileged("rm", &["-f", POLICY]).status();
        }
    }
}
