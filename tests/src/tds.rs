//! A stand-in for SQL Server, which Debian does not have: `programs/tds/server.py` speaks its protocol in front of SQLite.

use crate::packages;
use crate::products;
use crate::scratch::Scratch;
use crate::server::{Server, free_port};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The user that every test connects as.
pub const USER: &str = "tester";
/// Its password.
pub const PASSWORD: &str = "Walrus9kite-17";

/// The running server.
pub struct Tds {
    _server: Server,
    databases: PathBuf,
    /// The loopback port that it listens on.
    pub port: u16,
}

/// Returns the server of this test process, started when first asked for.
pub fn server() -> &'static Tds {
    static RUNNING: OnceLock<Tds> = OnceLock::new();
    RUNNING.get_or_init(|| {
        let scratch = std::mem::ManuallyDrop::new(Scratch::new("tds")); // the keeper removes it
        let (databases, port) = (scratch.directory("databases"), free_port());
        let script = products::repository().join("tests/programs/tds/server.py");
        let words = [packages::program("python3", "python3"), script, port.to_string().into(), databases.clone()];
        let mut command = words.map(|word| word.display().to_string()).to_vec();
        command.extend([USER.to_owned(), PASSWORD.to_owned()]);
        let mut server = Server::start(scratch.path(), "TERM", &command);
        server.wait_until("the stand-in for SQL Server", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Tds { _server: server, databases, port }
    })
}

impl Tds {
    /// Removes the database; the first login makes it again.
    pub fn remove(&self, name: &str) {
        let _ = std::fs::remove_file(self.databases.join(format!("{name}.db")));
    }
}
