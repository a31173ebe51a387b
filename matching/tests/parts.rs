//! A cassette of several processes: a process plays one part, and says which as soon as nothing of it is left.

use crate::support::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use super8_cassette::{ConnectionId, Directory, Order, Processes, Store};
use super8_matching::{PlayOptions, Player};

/// Counts and tells in one process what all would count and tell together.
#[derive(Debug, Default)]
pub struct Together {
    counts: Mutex<HashMap<String, usize>>,
    told: Mutex<Vec<String>>,
    /// How often somebody asked what was told.
    asked: AtomicUsize,
}

impl Processes for Together {
    fn tell(&self, line: &str) {
        self.told.lock().unwrap().push(line.to_owned());
    }

    fn told(&self, known: u64) -> (Vec<String>, u64) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let told = self.told.lock().unwrap();
        (told[known as usize..].to_vec(), told.len() as u64)
    }

    fn take(&self, group: &str, room: usize) -> bool {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(group.to_owned()).or_default();
        *count += 1;
        *count <= room
    }
}

/// Records a part with these statements, and a connection that is left open.
fn part(directory: &Path, texts: &[&str]) {
    let recorder = recorder(directory);
    let connection = connected(&recorder, "shop");
    for (number, sql) in texts.iter().enumerate() {
        let statement = number as u32 + 1;
        recorder.command(&run(connection, statement, sql)).unwrap();
        result(&recorder, connection, statement, &[&[sql]]);
    }
    recorder.publish().unwrap();
}

fn process(parts: &[PathBuf], processes: &Arc<Together>, order: Order) -> (Arc<Player>, ConnectionId) {
    let player = process_of(parts, processes, order);
    let connection = player.connect(&connect(A, "shop")).unwrap_or_else(|told| panic!("{}", told.report)).connection;
    (player, connection)
}

/// A process that plays one of these parts.
pub fn process_of(parts: &[PathBuf], processes: &Arc<Together>, order: Order) -> Arc<Player> {
    let stores = parts.iter().map(|part| Box::new(Directory::read(part).unwrap()) as Box<dyn Store>).collect();
    let processes = Arc::clone(processes) as Arc<dyn Processes>;
    let options = PlayOptions { order: Some(order), ..PlayOptions::default() };
    Player::with_parts(stores, processes, options).unwrap()
}

/// The last names of the parts of which everything is played, if that has changed.
fn finished(player: &Player) -> Option<Vec<String>> {
    let name = |part: &PathBuf| part.file_name().unwrap().to_string_lossy().into_owned();
    player.finished().map(|parts| parts.iter().map(name).collect())
}

#[test]
fn a_part_may_be_the_beginning_of_another_one() {
    for order in [Order::Global, Order::Connection] {
        let parent = tempfile::tempdir().unwrap();
        let parts = ["short", "long", "alike"].map(|name| parent.path().join(name));
        part(&parts[0], &["select 1"]);
        part(&parts[1], &["select 1", "select 2"]);
        part(&parts[2], &["select 1"]);
        let processes = Arc::new(Together::default());
        let play = |player: &Player, connection, statement, sql: &str| {
            player.command(&run(connection, statement, sql)).unwrap_or_else(|told| panic!("{}", told.report));
            assert_eq!(fetch_all(player, connection, statement), [[sql]]);
        };
        let ((first, a), (second, b)) = (process(&parts, &processes, order), process(&parts, &processes, order));
        assert_eq!(finished(&first), None);
        play(&first, a, 1, "select 1");
        assert_eq!(finished(&first), Some(vec!["short".to_owned(), "alike".to_owned()]));
        assert_eq!(finished(&first), None, "it was said");
        // it goes on where those it took itself for have ended
        play(&first, a, 2, "select 2");
        assert_eq!(finished(&first), Some(vec!["long".to_owned()]));
        play(&second, b, 1, "select 1");
        assert!(finished(&second).is_some_and(|parts| parts.contains(&"short".to_owned())));
    }
}

#[test]
fn processes_tell_each_other_nothing_where_nothing_is_volatile() {
    let parent = tempfile::tempdir().unwrap();
    let parts = ["one", "two"].map(|name| parent.path().join(name));
    parts.iter().for_each(|name| part(name, &["select 1"]));
    let asked = |order| {
        let processes = Arc::new(Together::default());
        let (player, connection) = process(&parts, &processes, order);
        player.command(&run(connection, 1, "select 1")).unwrap_or_else(|told| panic!("{}", told.report));
        processes.asked.load(Ordering::Relaxed)
    };
    for order in [Order::Global, Order::Connection, Order::Any] {
        assert_eq!(asked(order), 0, "{order:?}");
    }
    // a mark in any part is enough
    let log = parts[1].join("commands.yml");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("  sql: ", "  volatile: [sql 1]\n  sql: ")).unwrap();
    for order in [Order::Global, Order::Connection, Order::Any] {
        assert!(asked(order) > 0, "{order:?}");
    }
}
