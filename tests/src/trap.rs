//! A port that is open and must never be called. A replayed program finds it where its server was.

use std::net::TcpListener;

/// A listening loopback port that notices connections.
pub struct Trap {
    listener: TcpListener,
    port: u16,
}

impl Trap {
    /// Opens the port.
    pub fn new() -> Trap {
        Trap::at(0)
    }

    /// Opens this port; with 0, a free one.
    pub fn at(port: u16) -> Trap {
        let listener = TcpListener::bind(("127.0.0.1", port));
        let listener = listener.unwrap_or_else(|error| panic!("no loopback port {port}: {error}"));
        listener.set_nonblocking(true).unwrap_or_else(|error| panic!("cannot make a trap: {error}"));
        let port = listener.local_addr().unwrap_or_else(|error| panic!("a trap without an address: {error}")).port();
        Trap { listener, port }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether somebody connected.
    pub fn sprung(&self) -> bool {
        self.listener.accept().is_ok()
    }
}

impl Default for Trap {
    fn default() -> Self {
        Trap::new()
    }
}
