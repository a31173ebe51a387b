//! Gets a suite's source by its package's name, from Debian or PyPI, into a directory below cargo's target directory.
//!
//! It does not change the machine's apt configuration: the sources list, the package lists and the downloads are in
//! that directory. A complete directory is used as it is, so that you can put one there by hand on a machine without a
//! network.

use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::{products, python};

/// Returns the directory that has the sources.
pub fn cache() -> PathBuf {
    products::target_directory().join("suites")
}

/// Returns the directory in which the source of a package is unpacked.
pub fn place(package: &str) -> PathBuf {
    cache().join("sources").join(package)
}

/// Unpacks the upstream source of Debian's source package `package`, unless it is there. `proof` is a file that it must
/// have.
pub fn debian(package: &str, proof: &str) -> Result<(), Trouble> {
    obtain(package, proof, |downloads| {
        let apt = Apt::new(&cache().join("apt"))?;
        // Only the upstream archive is needed: Debian's changes to the driver do not concern its tests.
        run(apt.command("apt-get").args(["source", "--download-only", "--tar-only", package]).current_dir(downloads))
    })
}

/// Unpacks the source distribution of a PyPI package, given as `name==version`, unless it is there.
pub fn pypi(package: &str, proof: &str) -> Result<(), Trouble> {
    obtain(package, proof, |downloads| {
        let name = package.split('=').next().unwrap_or(package);
        let mut pip = Command::new(python::interpreter());
        pip.args(["-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]);
        run(pip.args(["--no-binary", name, package, "--dest"]).arg(downloads))
    })
}

/// Copies a source that is already on this machine.
pub fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(to);
    make(to)?;
    run(Command::new("cp").arg("-r").arg(from.join(".")).arg(to))
}

/// Why a suite cannot be run here.
#[derive(Debug)]
pub enum Trouble {
    /// The registry does not have its source, or cannot be reached.
    NotObtained(String),
    /// Anything else.
    Broken(String),
}

impl From<String> for Trouble {
    fn from(reason: String) -> Trouble {
        Trouble::Broken(reason)
    }
}

fn obtain(package: &str, proof: &str, download: impl Fn(&Path) -> Result<(), String>) -> Result<(), Trouble> {
    let place = place(package);
    if place.join(proof).is_file() {
        return Ok(());
    }
    let downloads = cache().join("downloads").join(package);
    let _ = std::fs::remove_dir_all(&downloads);
    make(&downloads)?;
    let advice = |reason: String| {
        let place = place.display();
        let advice = format!("If there is another way to that package, unpack it as {place}");
        Trouble::NotObtained(format!("cannot get the source of {package}: {reason}\n{advice}"))
    };
    download(&downloads).map_err(advice)?;
    let archive = std::fs::read_dir(&downloads)
        .map_err(|error| format!("{}: {error}", downloads.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains(".tar."))
        .ok_or_else(|| advice("the download left no archive".into()))?;
    let _ = std::fs::remove_dir_all(&place);
    make(&place)?;
    run(Command::new("tar").args(["--strip-components=1", "-xf"]).arg(&archive).arg("-C").arg(&place))?;
    if place.join(proof).is_file() { Ok(()) } else { Err(advice(format!("its archive has no {proof}"))) }
}

/// An apt with its own state, which knows Debian's source packages.
struct Apt {
    directory: PathBuf,
}

impl Apt {
    fn new(directory: &Path) -> Result<Apt, String> {
        make(&directory.join("lists/partial"))?;
        make(&directory.join("archives/partial"))?;
        let apt = Apt { directory: directory.to_path_buf() };
        let list = directory.join("sources.list");
        std::fs::write(&list, deb_src()?).map_err(|error| format!("{}: {error}", list.display()))?;
        run(apt.command("apt-get").args(["update", "-q"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let at = |name: &str| self.directory.join(name).display().to_string();
        for option in [
            format!("Dir::Etc::SourceList={}", at("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".into(),
            format!("Dir::State::Lists={}", at("lists")),
            format!("Dir::Cache={}", self.directory.display()),
            // Downloads go to a directory of ours, which apt's own user may not be able to read.
            "APT::Sandbox::User=root".into(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }
}

/// Returns `deb-src` lines for the archives from which this machine gets Debian's packages.
fn deb_src() -> Result<String, String> {
    let format = "deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)";
    let filter = ["Created-By: Packages", "Origin: Debian"];
    let output = Command::new("apt-get").args(["indextargets", "--format", format]).args(filter).output();
    let output = output.map_err(|error| format!("cannot run apt-get: {error}"))?;
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(String::from).collect();
    lines.dedup();
    if lines.is_empty() {
        return Err("apt knows no archive of Debian's; run: apt-get update".into());
    }
    Ok(lines.join("\n") + "\n")
}

fn make(directory: &Path) -> Result<(), String> {
    std::fs::create_dir_all(directory).map_err(|error| format!("cannot create {}: {error}", directory.display()))
}

/// Runs a command. If it fails, the error is what it printed.
pub fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    Err(format!("{name} failed ({}):\n{}", output.status, text.trim_end()))
}
