//! The PostgreSQL server of one worker: running while programs are recorded, then stopped for good.

use crate::connection::{PASSWORD, USER};
use crate::suite::Suite;
use std::collections::HashSet;
use std::path::Path;
use super8_tests::postgres::Postgres;
use super8_tests::trap::Trap;

/// One worker's server. Each worker has its own, so that their databases can have the same name.
#[derive(Default)]
pub struct Server {
    running: Option<Postgres>,
    templates: HashSet<&'static str>,
}

impl Server {
    /// Returns the port of the server, which is started when first asked for.
    pub fn port(&mut self) -> u16 {
        self.running().port
    }

    /// Makes the suite's database anew, with the suite's tables and nothing of an earlier program.
    pub fn fresh(&mut self, suite: &dyn Suite, database: &str) {
        let template = format!("{database}_template");
        if self.templates.insert(suite.name()) {
            let server = self.running();
            server.fresh(&template);
            if let Some(tables) = suite.tables() {
                server.sql(&template, &statements(&tables));
            }
        }
        let server = self.running();
        server.remove(database);
        server.sql("postgres", &format!("create database {database} template {template}"));
    }

    /// Stops the server, and opens its port as a trap that notices connections.
    pub fn stop(self) -> Option<Trap> {
        let port = self.running.as_ref().map(|server| server.port);
        drop(self.running);
        port.map(Trap::at)
    }

    fn running(&mut self) -> &Postgres {
        self.running.get_or_insert_with(|| {
            let server = Postgres::start();
            server.sql("postgres", &format!("create role {USER} superuser login password '{PASSWORD}'"));
            server
        })
    }
}

fn statements(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()))
}
