//! Images of containers without an engine: Debian's buildah, which builds a Dockerfile in a directory of its own. The image that
//! Dockerfiles begin with is made of Debian's packages, once below cargo's target directory.

use crate::packages;
use crate::products::target_directory;
use crate::server::{is_root, must};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// The image that stands for Debian's own, with what `debootstrap` calls the minimal system.
pub const DEBIAN: &str = "debian:bookworm-slim";

fn place() -> PathBuf {
    target_directory().join("container")
}

/// A program that root has to run.
fn privileged(name: &str, package: &str) -> Command {
    let program = packages::program(name, package);
    if is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.arg(program);
    sudo
}

/// buildah with its images in a place of the tests.
pub fn buildah(words: &[&str]) -> Command {
    let mut command = privileged("buildah", "buildah");
    of_the_tests(&mut command);
    command.args(words);
    command
}

/// The same without a network.
pub fn buildah_alone(words: &[&str]) -> Command {
    let mut command = privileged("unshare", "util-linux");
    command.arg("--net").arg(packages::program("buildah", "buildah"));
    of_the_tests(&mut command);
    command.args(words);
    command
}

fn of_the_tests(command: &mut Command) {
    command.args(["--storage-driver", "vfs", "--root"]).arg(place().join("images"));
    command.arg("--runroot").arg(place().join("running"));
}

/// Makes the image [`DEBIAN`] unless it is there: from the mirror that this machine's apt uses, and with that mirror in it.
pub fn make_base() {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let complete = place().join(".complete");
    if complete.is_file() {
        return;
    }
    std::fs::create_dir_all(place()).unwrap_or_else(|error| panic!("{}: {error}", place().display()));
    let root = place().join("debian");
    must(privileged("rm", "coreutils").args(["-rf", "--one-file-system"]).arg(&root));
    let mut debootstrap = privileged("debootstrap", "debootstrap");
    must(debootstrap.args(["--variant=minbase", "bookworm"]).arg(&root).arg(mirror()));
    let container = must(&mut buildah(&["from", "scratch"]));
    must(buildah(&["add", "--quiet", container.trim()]).arg(root.join("")));
    must(&mut buildah(&["commit", "--quiet", "--rm", container.trim(), DEBIAN]));
    must(privileged("rm", "coreutils").args(["-rf", "--one-file-system"]).arg(&root));
    std::fs::write(&complete, DEBIAN).unwrap_or_else(|error| panic!("{}: {error}", complete.display()));
}

fn mirror() -> String {
    let mut apt = Command::new(packages::program("apt-get", "apt"));
    let told = must(apt.args(["indextargets", "--format", "$(REPO_URI) $(CODENAME) $(LABEL)", "Created-By: Packages"]));
    let mirror = told.lines().find_map(|line| line.strip_suffix(" bookworm Debian"));
    mirror.unwrap_or_else(|| panic!("apt knows no mirror of Debian bookworm:\n{told}")).to_owned()
}
