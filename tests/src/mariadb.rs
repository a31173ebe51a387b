//! One MariaDB server per test process: its own data directory, on loopback, with a user who has a password.

use crate::packages;
use crate::scratch::Scratch;
use crate::server::{Server, free_port, is_root, must};
use std::process::Command;
use std::sync::OnceLock;

/// The user that every test connects as.
pub const USER: &str = "tester";
/// Its password.
pub const PASSWORD: &str = "Zebra;7}kite";
const PACKAGE: &str = "mariadb-server";

/// The running server.
pub struct MariaDb {
    _server: Server,
    socket: String,
    /// The loopback port that it listens on.
    pub port: u16,
}

/// Returns the server of this test process, started when first asked for.
pub fn server() -> &'static MariaDb {
    static RUNNING: OnceLock<MariaDb> = OnceLock::new();
    // A static is never dropped. The server's keeper notices when this process ends (see `server`).
    RUNNING.get_or_init(MariaDb::start)
}

impl MariaDb {
    /// Starts a server of its own.
    pub fn start() -> MariaDb {
        let scratch = std::mem::ManuallyDrop::new(Scratch::new("mariadb")); // the keeper removes it
        let data = format!("--datadir={}", scratch.join("data").display());
        let socket = scratch.join("socket").display().to_string();
        let account = is_root().then_some("--user=mysql");
        if is_root() {
            let mut owner = Command::new("chown");
            owner.args(["-R", "mysql"]).arg(scratch.path());
            must(&mut owner);
        }

        let mut install = Command::new(packages::program("mariadb-install-db", PACKAGE));
        // Without the system tables of time zones and help: no test needs them, and it saves half a second.
        install.args(["--no-defaults", &data, "--auth-root-authentication-method=normal", "--skip-test-db"]);
        install.args(["--skip-name-resolve", "--innodb-log-file-size=8M", "--innodb-flush-method=nosync"]);
        install.args(account).current_dir("/");
        must(&mut install);

        let port = free_port();
        let mut server = vec![packages::program("mariadbd", PACKAGE).display().to_string()];
        server.extend([String::from("--no-defaults"), data, format!("--port={port}"), format!("--socket={socket}")]);
        server.extend(
            [
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--innodb-flush-method=nosync",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-log-file-size=8M",
                "--innodb-buffer-pool-size=32M",
                "--innodb-fast-shutdown=2",
                "--max-allowed-packet=64M",
                "--character-set-server=utf8mb4",
                "--collation-server=utf8mb4_bin",
                "--default-time-zone=+00:00",
            ]
            .map(String::from),
        );
        server.extend(account.map(String::from));
        let mut running = MariaDb { _server: Server::start(scratch.path(), "KILL", &server), socket, port };
        let socket = running.socket.clone();
        running._server.wait_until("MariaDB", || {
            let asked = client(&socket).args(["-e", "select 1"]).output();
            asked.is_ok_and(|output| output.status.success())
        });
        running.sql(&format!(
            "create user {USER}@'127.0.0.1' identified by '{PASSWORD}'; grant all on *.* to {USER}@'127.0.0.1'"
        ));
        running
    }

    /// Runs SQL as the server's root user.
    pub fn sql(&self, sql: &str) -> String {
        let mut client = client(&self.socket);
        client.args(["-N", "-B", "-e", sql]);
        must(&mut client)
    }

    /// Makes `database` exist and be empty.
    pub fn fresh(&self, database: &str) {
        self.sql(&format!("drop database if exists {database}; create database {database}"));
    }

    /// Removes `database`.
    pub fn remove(&self, database: &str) {
        self.sql(&format!("drop database if exists {database}"));
    }
}

fn client(socket: &str) -> Command {
    let mut client = Command::new(packages::program("mariadb", PACKAGE));
    client.args(["--no-defaults", "--protocol=socket", "-u", "root", "-S", socket]);
    client
}
