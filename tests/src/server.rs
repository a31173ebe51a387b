//! A database server as a child process that cannot outlive the tests, however they end.
//!
//! The child is a shell that starts the server and then waits for the end of its standard input. Only the test process
//! holds the other end of this pipe, so a return, a panic, `exit` and even `kill -9` close it. Then the shell ends the
//! server and removes its directory.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends the server "$@" and removes the directory "$dir" when standard input ends.
const KEEPER: &str = r#"
trap '' INT TERM HUP
dir=$1 log=$2 stop=$3; shift 3
"$@" </dev/null >"$log" 2>&1 &
server=$!
while IFS= read -r _; do :; done
kill -s "$stop" $server 2>/dev/null
wait $server
code=$?
rm -rf "$dir"
exit $code
"#;

/// A running server.
pub struct Server {
    keeper: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command` (program and arguments). `stop` is the signal that ends it at once; then `directory` is
    /// removed.
    pub fn start(directory: &Path, stop: &str, command: &[String]) -> Server {
        let log = directory.join("server.log");
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .args([directory.as_os_str(), log.as_os_str(), stop.as_ref()])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start a shell: {error}"));
        Server { keeper, log }
    }

    /// Starts `command` in its own directory and environment; `TERM` ends it. What it prints goes to the file `log`.
    pub fn of(command: &Command, log: &Path) -> Server {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper", ""]).arg(log).arg("TERM");
        keeper.arg(command.get_program()).args(command.get_args()).env_clear();
        keeper.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        if let Some(directory) = command.get_current_dir() {
            keeper.current_dir(directory);
        }
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Server { keeper: keeper.unwrap_or_else(|error| panic!("cannot start a shell: {error}")), log: log.to_owned() }
    }

    /// Ends it and returns its exit code and what it printed.
    pub fn stop(mut self) -> (i32, String) {
        drop(self.keeper.stdin.take());
        let status = self.keeper.wait().unwrap_or_else(|error| panic!("cannot wait for a shell: {error}"));
        (status.code().unwrap_or(-1), self.log())
    }

    /// Calls `ready` until it returns true. Panics with the server's log if that takes more than a minute.
    pub fn wait_until(&mut self, name: &str, ready: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !ready() {
            let ended = self.keeper.try_wait().ok().flatten().is_some();
            if ended || Instant::now() > deadline {
                panic!("{name} did not start:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        let mut text = Vec::new();
        let _ = std::fs::File::open(&self.log).and_then(|mut file| file.read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Returns a TCP port of the loopback interface that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no free loopback port: {error}"));
    listener.local_addr().unwrap_or_else(|error| panic!("a listener without an address: {error}")).port()
}

/// Runs a set-up command and returns its output. Panics with the output if it fails.
pub fn must(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {:?}: {error}", command.get_program()));
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed ({}):\n{text}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether this process runs as root. Servers refuse to.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|entry| std::os::unix::fs::MetadataExt::uid(&entry) == 0)
}
