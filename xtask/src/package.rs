//! `cargo xtask package`: builds a Python wheel, a Ruby gem, a package for npm, a Debian package and an archive, all
//! from the same stripped binaries.

use crate::command::{Done, cargo};
use crate::manual;
use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use super8_tests::products::{repository, target_directory};
use super8_tests::python;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const BINARIES: [&str; 3] = ["super8", "libsuper8.so", "libsuper8a.so"];
/// The largest size of a package in bytes.
const LARGEST: u64 = 5_000_000;

/// The name of a kind of package, and the function that makes it.
type Kind = (&'static str, fn(&Stage) -> Result<PathBuf, String>);
const KINDS: [Kind; 5] =
    [("wheel", Stage::wheel), ("gem", Stage::gem), ("npm", Stage::npm), ("deb", Stage::deb), ("tar", Stage::tar)];
const USAGE: &str = "package takes [--built DIRECTORY] [--into DIRECTORY] and the packages: wheel, gem, npm, deb, tar";

/// Builds the packages that the words name, or all of them. `--built` names a directory with binaries of an unoptimized
/// build: then nothing is compiled, compression is low, and sizes are not checked.
pub fn package(words: &[String]) -> Done {
    let (mut into, mut built, mut kinds) = (target_directory().join("packages"), None, Vec::new());
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match (word, KINDS.into_iter().find(|(name, _)| *name == word)) {
            ("--built", _) => built = Some(PathBuf::from(words.next().ok_or(USAGE)?)),
            ("--into", _) => into = words.next().ok_or(USAGE)?.into(),
            (_, Some(kind)) => kinds.push(kind),
            _ => return Err(USAGE.to_owned()),
        }
    }
    if kinds.is_empty() {
        kinds = KINDS.to_vec();
    }
    let into = std::path::absolute(&into).map_err(|error| format!("{}: {error}", into.display()))?;
    if built.is_none() {
        crate::setup::install(&["gcc", "dpkg-dev", "xz-utils", "ruby", "python3", "python3-venv"])?;
    }
    let stage = Stage::new(&into, built.as_deref())?;
    for (_, make) in kinds {
        let file = make(&stage)?;
        let size = std::fs::metadata(&file).map_err(|error| format!("{}: {error}", file.display()))?.len();
        println!("{} ({:.1} MB)", file.display(), size as f64 / 1e6);
        if size > LARGEST && !stage.quick {
            return Err(format!("{} is larger than {LARGEST} bytes", file.display()));
        }
    }
    Ok(())
}

/// Builds the libraries and the command at the same time. Each build ends with one crate that keeps one core busy.
fn build() -> Done {
    std::thread::scope(|scope| {
        let libraries =
            scope.spawn(|| run(&mut cargo(&["build", "--quiet", "--release", "-p", "super8", "-p", "super8a"])));
        run(&mut cargo(&["build", "--quiet", "--profile", "command", "-p", "super8-cli"]))?;
        libraries.join().unwrap_or_else(|_| Err("the build of the libraries panicked".to_owned()))
    })
}

/// The directories in which packages are put together.
struct Stage {
    /// The directory for the finished packages.
    into: PathBuf,
    /// A scratch directory, which each run empties.
    room: PathBuf,
    /// The stripped binaries.
    binaries: PathBuf,
    /// Whether to make packages quickly and larger, for tests.
    quick: bool,
}

impl Stage {
    fn new(into: &Path, built: Option<&Path>) -> Result<Stage, String> {
        let room = into.join("build");
        let _ = std::fs::remove_dir_all(&room);
        let quick = built.is_some();
        let stage = Stage { into: into.to_owned(), binaries: directory(&room.join("bin"))?, room, quick };
        if !quick {
            build()?;
        }
        let built = |name: &str| match built {
            Some(built) => built.join(name),
            None => target_directory().join(if name == "super8" { "command" } else { "release" }).join(name),
        };
        let symbols = directory(&into.join("debug"))?;
        for name in BINARIES {
            let (from, to, symbols) = (built(name), stage.binaries.join(name), symbols.join(format!("{name}.debug")));
            let mut strip = command("objcopy");
            strip.arg("--strip-unneeded");
            if !quick {
                run(command("objcopy").arg("--only-keep-debug").args([&from, &symbols]))?;
                strip.arg(format!("--add-gnu-debuglink={}", symbols.display()));
            }
            run(strip.args([&from, &to]))?;
        }
        Ok(stage)
    }

    /// Copies a directory of the repository into the scratch directory.
    fn copy(&self, from: &str, to: &str) -> Result<PathBuf, String> {
        let to = self.room.join(to);
        directory(to.parent().unwrap_or(&to))?;
        run(command("cp").arg("-r").arg(repository().join(from)).arg(&to))?;
        Ok(to)
    }

    /// Copies the binaries (as executables) and the licenses.
    fn fill(&self, binaries: &Path, licenses: &Path) -> Done {
        let all = BINARIES.map(|name| self.binaries.join(name));
        run(command("install").args(["-m", "755", "-D", "-t"]).arg(binaries).args(all))?;
        let files = ["LICENSE-APACHE", "LICENSE-MIT"].map(|name| repository().join(name));
        run(command("install").args(["-m", "644", "-D", "-t"]).arg(licenses).args(files))
    }

    /// Builds the Python wheel. auditwheel finds out from the symbols which C library it needs, and puts that into its
    /// tag.
    fn wheel(&self) -> Result<PathBuf, String> {
        let tools = python::packaging().map_err(|reason| format!("no tools to make a wheel: {reason}"))?;
        let source = self.copy("packages/python", "python")?;
        let _ = std::fs::remove_dir_all(source.join("src/super8/bin"));
        self.fill(&source.join("src/super8/bin"), &source)?;
        // the command and the wheel have the same plugin
        let plugin = repository().join("cli/src/wrap/pytest_plugin.py");
        run(command("cp").arg(plugin).arg(source.join("src/super8/_fixtures.py")))?;
        let built = self.room.join("wheel");
        let mut hatch = Command::new(tools.join("python"));
        hatch.args(["-m", "hatchling", "build", "-t", "wheel", "-d"]).arg(&built).current_dir(&source);
        run(hatch.env("SUPER8_VERSION", VERSION).env("SUPER8_PLATFORM", format!("linux_{ARCH}")))?;
        let audited = self.room.join("audited");
        let mut audit = Command::new(tools.join("python"));
        let level = if self.quick { "1" } else { "9" };
        audit
            .args(["-m", "auditwheel", "repair", "--zip-compression-level", level, "-w"])
            .arg(&audited)
            .arg(only(&built)?);
        let path = std::env::var("PATH").unwrap_or_default();
        run(audit.env("PATH", format!("{}:{path}", tools.display())))?;
        self.take(&only(&audited)?)
    }

    /// Builds the Ruby gem.
    fn gem(&self) -> Result<PathBuf, String> {
        let source = self.copy("packages/ruby", "ruby")?;
        self.fill(&source.join("libexec"), &source)?;
        let mut gem = command("gem");
        let built = source.join("super8-odbc.gem");
        gem.args(["build", "--quiet", "--output"]).arg(&built).arg("super8-odbc.gemspec").current_dir(&source);
        run(gem.env("SUPER8_VERSION", VERSION))?;
        let name = format!("super8-odbc-{VERSION}-{ARCH}-linux.gem");
        std::fs::rename(&built, source.join(&name)).map_err(|error| format!("{}: {error}", built.display()))?;
        self.take(&source.join(name))
    }

    /// Builds the package for npm, as `npm pack` would make it.
    fn npm(&self) -> Result<PathBuf, String> {
        let source = self.copy("packages/node", "npm/package")?;
        self.fill(&source.join("bin"), &source)?;
        let addon = source.join("addon.c");
        let mut compiler = command("cc");
        compiler.args("-std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -s -o".split(' '));
        run(compiler.arg(source.join("bin/super8.node")).arg(&addon))?;
        let manifest = source.join("package.json");
        let text = std::fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        let processor = if ARCH == "aarch64" { "arm64" } else { "x64" };
        write(&manifest, &text.replacen("0.0.0", VERSION, 1).replacen("x64", processor, 1))?;
        for needless in [addon, source.join(".gitignore")] {
            std::fs::remove_file(&needless).map_err(|error| format!("{}: {error}", needless.display()))?;
        }
        let file = self.into.join(format!("super8-odbc-{VERSION}.tgz"));
        self.archive(&file, "gzip -n", &self.room.join("npm"), "package")?;
        Ok(file)
    }

    /// Builds the Debian package. It does not register super8 as a driver: `super8 install` does.
    fn deb(&self) -> Result<PathBuf, String> {
        let root = self.room.join("deb/debian/super8-odbc");
        self.tree(&root.join("usr"), "super8-odbc", &format!("lib/{ARCH}-linux-gnu/odbc"))?;
        let doc = root.join("usr/share/doc/super8-odbc");
        write(&doc.join("copyright"), &copyright()?)?;
        let control = repository().join("packages/debian/control");
        run(command("install").args(["-m", "644"]).arg(control).arg(self.room.join("deb/debian/control")))?;
        let mut needed = command("dpkg-shlibdeps");
        needed.arg("--ignore-missing-info").args(binaries_below(&root)?).current_dir(self.room.join("deb"));
        run(&mut needed)?;
        let mut control = command("dpkg-gencontrol");
        control.args(["-psuper8-odbc", "-Pdebian/super8-odbc", &format!("-v{VERSION}")]);
        directory(&root.join("DEBIAN"))?;
        write(&self.room.join("deb/debian/changelog"), &changelog())?;
        run(control.current_dir(self.room.join("deb")))?;
        let sums = "cd \"$1\" && find usr -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums";
        run(command("sh").args(["-c", sums, "sh"]).arg(&root))?;
        let built = directory(&self.room.join("deb/built"))?;
        let compression = if self.quick { "-Znone" } else { "-Zxz" };
        run(command("dpkg-deb").args(["--root-owner-group", compression, "--build"]).args([&root, &built]))?;
        self.take(&only(&built)?)
    }

    /// Builds an archive for all other systems, to be unpacked in /usr/local or anywhere.
    fn tar(&self) -> Result<PathBuf, String> {
        let name = format!("super8-{VERSION}-{ARCH}-linux");
        let root = self.room.join("tar").join(&name);
        self.tree(&root, "super8", "lib/super8")?;
        let file = self.into.join(format!("{name}.tar.xz"));
        self.archive(&file, "xz", &self.room.join("tar"), &name)?;
        Ok(file)
    }

    /// Makes an archive of the entry `name` in a directory. The same files give the same bytes.
    fn archive(&self, file: &Path, compression: &str, directory: &Path, name: &str) -> Done {
        let level = if self.quick { "-1" } else { "-9" };
        let mut tar = command("tar");
        tar.arg("--create").arg(format!("--use-compress-program={compression} {level}"));
        tar.args("--sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --file".split(' '));
        run(tar.arg(file).arg("-C").arg(directory).arg(name))
    }

    /// Installs everything below a prefix: command, libraries, header, pages of the manual, completions, documentation.
    fn tree(&self, prefix: &Path, package: &str, libraries: &str) -> Done {
        let install = |mode: &str, files: &[PathBuf], to: PathBuf| {
            run(command("install").args(["-m", mode, "-D", "-t"]).arg(to).args(files))
        };
        let binary = |name: &str| self.binaries.join(name);
        install("755", &[binary("super8")], prefix.join("bin"))?;
        install("644", &[binary("libsuper8.so"), binary("libsuper8a.so")], prefix.join(libraries))?;
        install("644", &[repository().join("shim/include/super8.h")], prefix.join("include"))?;
        let manual = directory(&prefix.join("share/man/man1"))?;
        let command_line = <super8_cli::Arguments as clap::CommandFactory>::command();
        let documentation = match prefix.ends_with("usr") {
            true => format!("/usr/share/doc/{package}"),
            false => format!("share/doc/{package} beside the directory of the command"),
        };
        manual::write(command_line, &manual, &documentation)?;
        run(command("sh").args(["-c", "gzip -9n \"$1\"/*.1", "sh"]).arg(&manual))?;
        // where zsh looks below /usr on Debian, and below /usr/local
        let functions = if prefix.ends_with("usr") { "vendor-completions" } else { "site-functions" };
        let of_zsh = format!("share/zsh/{functions}/_super8");
        for (shell, file) in [
            ("bash", "share/bash-completion/completions/super8"),
            ("zsh", of_zsh.as_str()),
            ("fish", "share/fish/vendor_completions.d/super8.fish"),
        ] {
            let output = Command::new(binary("super8")).args(["completions", shell]).output();
            let output = output.map_err(|error| format!("super8 completions: {error}"))?;
            write(&prefix.join(file), &String::from_utf8_lossy(&output.stdout))?;
        }
        let doc = directory(&prefix.join("share/doc").join(package))?;
        let pages = "find docs -name '*.md' | while read -r page; do install -m 644 -D \"$page\" \"$1/$page\"; done";
        run(command("sh").args(["-c", pages, "sh"]).arg(&doc).current_dir(repository()))?;
        let files = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "odbcinst.ini.example"];
        install("644", &files.map(|name| repository().join(name)), doc)
    }

    /// Moves a package to the directory of packages.
    fn take(&self, file: &Path) -> Result<PathBuf, String> {
        let to = self.into.join(file.file_name().unwrap_or_default());
        std::fs::rename(file, &to).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(to)
    }
}

fn command(program: &str) -> Command {
    Command::new(program)
}

/// Runs a command. If it fails, the error has what it printed.
fn run(command: &mut Command) -> Done {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            Err(format!("{shown} failed ({})\n{text}{errors}", output.status))
        }
    }
}

fn directory(path: &Path) -> Result<PathBuf, String> {
    std::fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.to_owned())
}

fn write(path: &Path, text: &str) -> Done {
    directory(path.parent().unwrap_or(path))?;
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns the only file in a directory.
fn only(directory: &Path) -> Result<PathBuf, String> {
    let mut entries = std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let entry = entries.next().ok_or_else(|| format!("{} is empty", directory.display()))?;
    entry.map(|entry| entry.path()).map_err(|error| format!("{}: {error}", directory.display()))
}

/// Returns the binaries of a package's tree.
fn binaries_below(root: &Path) -> Result<Vec<PathBuf>, String> {
    let libraries = root.join(format!("usr/lib/{ARCH}-linux-gnu/odbc"));
    let binaries =
        BINARIES.map(|name| if name.ends_with(".so") { libraries.join(name) } else { root.join("usr/bin").join(name) });
    let missing = binaries.iter().find(|path| !path.is_file());
    missing.map_or(Ok(binaries.to_vec()), |path| Err(format!("{} is missing", path.display())))
}

fn copyright() -> Result<String, String> {
    let license = |name: &str| {
        let path = repository().join(name);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    Ok(format!(
        "super8 is licensed under either of MIT or Apache-2.0, at your option.\n\n{}\n{}",
        license("LICENSE-MIT")?,
        license("LICENSE-APACHE")?
    ))
}

/// Returns the changelog from which dpkg-gencontrol takes the version.
fn changelog() -> String {
    format!(
        "super8-odbc ({VERSION}) unstable; urgency=low\n\n  * See CHANGELOG.md.\n\n -- The super8 developers <super8@localhost>  \
         Thu, 01 Jan 1970 00:00:00 +0000\n"
    )
}
