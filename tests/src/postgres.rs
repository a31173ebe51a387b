//! One PostgreSQL server per test process: its own cluster, on loopback, with a user who has a password.

use crate::packages;
use crate::scratch::Scratch;
use crate::server::{Server, free_port, is_root, must};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The user that every test connects as.
pub const USER: &str = "tester";
/// Its password, with a semicolon and a brace, which have a meaning in connection strings.
pub const PASSWORD: &str = "Zebra;7}kite";
const PACKAGE: &str = "postgresql";

/// The running cluster.
pub struct Postgres {
    _server: Server,
    programs: PathBuf,
    /// The loopback port that it listens on.
    pub port: u16,
}

/// Returns the cluster of this test process, started when first asked for.
pub fn server() -> &'static Postgres {
    static RUNNING: OnceLock<Postgres> = OnceLock::new();
    // A static is never dropped. The server's keeper notices when this process ends (see `server`).
    RUNNING.get_or_init(Postgres::start)
}

impl Postgres {
    /// Starts a cluster of its own.
    pub fn start() -> Postgres {
        let programs = newest_programs();
        let scratch = std::mem::ManuallyDrop::new(Scratch::new("postgresql")); // the keeper removes it
        let (data, password) = (scratch.join("data"), scratch.write("password", PASSWORD));
        if is_root() {
            must(&mut command(&["chown", "-R", "postgres", &scratch.path().display().to_string()]));
        }
        let mut initdb = unprivileged();
        initdb.push(programs.join("initdb").display().to_string());
        initdb.extend(
            ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--username", USER]
                .map(String::from),
        );
        initdb.push(format!("--pwfile={}", password.display()));
        initdb.push(format!("--pgdata={}", data.display()));
        must(&mut command(&initdb));

        let port = free_port();
        let mut server = unprivileged();
        server.push(programs.join("postgres").display().to_string());
        server.extend(["-D".into(), data.display().to_string(), "-p".into(), port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "synchronize_seqscans=off",
            "autovacuum=off",
            "timezone=UTC",
            "lc_messages=C",
        ] {
            server.extend(["-c".into(), setting.into()]);
        }
        let mut running =
            Postgres { _server: Server::start(scratch.path(), "QUIT", &server), programs: programs.clone(), port };
        let ready = programs.join("pg_isready").display().to_string();
        running._server.wait_until("PostgreSQL", || {
            let asked = command(&[&ready, "-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-d", "postgres"]).status();
            asked.is_ok_and(|status| status.success())
        });
        running
    }

    /// Runs SQL in `database` as the tests' user.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let psql = self.programs.join("psql").display().to_string();
        let port = self.port.to_string();
        let mut client = command(&[&psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &port]);
        client.args(["-U", USER, "-d", database, "-A", "-t", "-c", sql]).env("PGPASSWORD", PASSWORD);
        must(&mut client)
    }

    /// Makes `database` exist and be empty.
    pub fn fresh(&self, database: &str) {
        self.remove(database);
        self.sql("postgres", &format!("create database {database}"));
    }

    /// Removes `database`.
    pub fn remove(&self, database: &str) {
        // A program that was just killed may still be connected for a moment.
        self.sql("postgres", &format!("drop database if exists {database} with (force)"));
    }
}

/// Returns a lock for `create database`, which refuses to copy a template while another one copies it.
pub fn one_at_a_time() -> std::sync::MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn newest_programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").map(|entries| entries.flatten().collect::<Vec<_>>());
    let newest = versions
        .unwrap_or_default()
        .iter()
        .map(|entry| entry.path().join("bin"))
        .filter(|programs| programs.join("initdb").is_file())
        .max_by_key(|programs| programs.to_string_lossy().bytes().filter(u8::is_ascii_digit).collect::<Vec<u8>>());
    newest.unwrap_or_else(|| packages::missing("PostgreSQL's server (/usr/lib/postgresql/*/bin/initdb)", PACKAGE))
}

/// Returns the words before a command that must not run as root.
fn unprivileged() -> Vec<String> {
    let words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"];
    if is_root() { words.map(String::from).to_vec() } else { vec!["env".into()] }
}

fn command<S: AsRef<str>>(words: &[S]) -> Command {
    let mut command = Command::new(words[0].as_ref());
    command.args(words[1..].iter().map(AsRef::as_ref)).current_dir("/").env("LC_ALL", "C.UTF-8");
    command
}
