//! The bench's own PostgreSQL server: on loopback, in a directory of its own, and removed at the end.

use std::{
    ffi::OsStr,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

/// A running server. Dropping it stops the server and removes its directory.
pub struct Server {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
}

impl Server {
    /// Makes a database cluster and starts a server on a free port of 127.0.0.1; under root, as the user `postgres`.
    pub fn start() -> Result<Server, String> {
        let programs = find_programs()?;
        let directory = std::env::temp_dir().join(format!("super8-bench-postgres-{}", std::process::id()));
        let port = free_port()?;
        let server = Server { programs, directory, port };
        std::fs::create_dir(&server.directory)
            .map_err(|e| format!("cannot make {}: {e}", server.directory.display()))?;
        if is_root()? {
            run(Command::new("chown").arg("postgres").arg(&server.directory))?;
        }
        let data = server.data();
        server.program(
            "initdb",
            [
                OsStr::new("-D"),
                data.as_ref(),
                "-A".as_ref(),
                "trust".as_ref(),
                "-U".as_ref(),
                "postgres".as_ref(),
                "-E".as_ref(),
                "UTF8".as_ref(),
            ],
        )?;
        let options = format!(
            "-p {port} -h 127.0.0.1 -k {} -c fsync=off -c synchronize_seqscans=off",
            server.directory.display()
        );
        let log = server.directory.join("log");
        server.program(
            "pg_ctl",
            [
                OsStr::new("-D"),
                data.as_ref(),
                "-w".as_ref(),
                "-l".as_ref(),
                log.as_ref(),
                "-o".as_ref(),
                options.as_ref(),
                "start".as_ref(),
            ],
        )?;
        Ok(server)
    }

    /// Returns the port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn program<'a>(&self, name: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<(), String> {
        let program = self.programs.join(name);
        let mut command = if is_root()? {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        run(command.args(arguments).current_dir(&self.directory))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        let stop = [OsStr::new("-D"), data.as_ref(), "-w".as_ref(), "-m".as_ref(), "fast".as_ref(), "stop".as_ref()];
        if data.join("postmaster.pid").exists()
            && let Err(error) = self.program("pg_ctl", stop)
        {
            eprintln!("the PostgreSQL server in {} was not stopped: {error}", self.directory.display());
            return;
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn find_programs() -> Result<PathBuf, String> {
    let versions = Path::new("/usr/lib/postgresql");
    let mut found: Vec<PathBuf> = std::fs::read_dir(versions)
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    found.retain(|programs| programs.join("initdb").exists());
    found.sort();
    found.pop().ok_or_else(|| "no PostgreSQL server was found; on Debian: apt-get install postgresql".to_owned())
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("no free port: {e}"))?;
    Ok(listener.local_addr().map_err(|e| format!("no free port: {e}"))?.port())
}

fn is_root() -> Result<bool, String> {
    use std::os::unix::fs::MetadataExt;
    let own = std::fs::metadata("/proc/self").map_err(|e| format!("cannot read /proc/self: {e}"))?;
    Ok(own.uid() == 0)
}

fn run(command: &mut Command) -> Result<(), String> {
    // The server inherits pg_ctl's output, so a pipe would stay open as long as the server runs.
    let status = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .map_err(|e| format!("cannot run {}: {e}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}
