use std::sync::Arc;

use super::core::{RecordOptions, Recorder};
use crate::{Entry, Fields, Key, Metadata, Method, Order, Value};

#[test]
fn a_forked_child_writes_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let options = RecordOptions {
        directory: parent.path().join("x"),
        order: Order::Global,
        inline_rows: 1,
        metadata: Metadata::now(None, None),
        append: None,
    };
    let recorder = Recorder::open(options).unwrap();
    let connection = recorder.connection();
    let entry = Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop");
    recorder.command(&entry).unwrap();
    let run = recorder.run(connection, 1, true);
    run.lock().begin_row().unwrap();
    // what the child has of the recorder: the same memory under another process id
    let mut recorder = Arc::into_inner({
        drop(run);
        recorder
    })
    .unwrap();
    recorder.process = crate::process::id() + 1;
    let child = Arc::new(recorder);
    let log = crate::staging_directory(&parent.path().join("x")).join("commands.yml");
    let before = std::fs::read(&log).unwrap();
    // holds even if another thread of the parent had the lock when it forked
    let held = child.log.lock();
    let refused = child.command(&entry).unwrap_err().to_string();
    assert!(refused.contains("was forked from"), "{refused}");
    assert!(child.note(&entry).is_err() && child.publish().is_err() && child.disconnect(connection).is_err());
    assert!(child.info(connection, Fields::new()).is_err());
    assert!(child.columns(connection, 1, &Value::List(Vec::new())).is_err());
    child.connection();
    assert!(child.run(connection, 1, true).lock().begin_row().is_err());
    drop(held);
    assert_eq!(std::fs::read(&log).unwrap(), before);
    assert!(!parent.path().join("x").exists());
}
