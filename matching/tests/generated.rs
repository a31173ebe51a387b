//! Generated sessions: several connections are recorded, one at a time or mixed, and played again by a program that mixes them
//! in another way. Whatever it does that the recording has in that order is played; anything else is a mismatch that names it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::*;
use super8_cassette::{ConnectionId, Order, open_directory};
use super8_matching::{Fetched, Mismatch, PlayOptions, Player};

/// What each connection asks, one text after the other. Few texts, so that sessions begin alike and end alike.
fn sessions() -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    let texts = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..5);
    prop::collection::vec(texts, 1..6)
}

/// Which connection does something next, as often as there is something left to do.
fn mixed(counts: &[usize], picks: &[Index]) -> Vec<usize> {
    let mut left = counts.to_vec();
    let mut picks = picks.iter().cycle();
    let mut order = Vec::new();
    while left.iter().any(|left| *left > 0) {
        let open: Vec<usize> = (0..left.len()).filter(|at| left[*at] > 0).collect();
        let next = *picks.next().map_or(&open[0], |pick| pick.get(&open));
        left[next] -= 1;
        order.push(next);
    }
    order
}

/// Each connection opens, asks its texts and closes.
fn steps(sessions: &[Vec<&str>]) -> Vec<usize> {
    sessions.iter().map(|texts| texts.len() + 2).collect()
}

fn record(directory: &std::path::Path, sessions: &[Vec<&str>], order: &[usize]) {
    let recorder = recorder(directory);
    let mut done = vec![0; sessions.len()];
    let mut ids = vec![A; sessions.len()];
    for &session in order {
        let (texts, step) = (&sessions[session], done[session]);
        done[session] += 1;
        if step == 0 {
            ids[session] = connected(&recorder, "shop");
        } else if let Some(sql) = texts.get(step - 1) {
            recorder.command(&run(ids[session], step as u32, sql)).unwrap();
            result(&recorder, ids[session], step as u32, &[&[sql]]);
            recorder.note(&drop_of(ids[session], step as u32)).unwrap();
        } else {
            recorder.disconnect(ids[session]).unwrap();
        }
    }
}

/// Does what the sessions do, in this order, until something is no longer as recorded.
fn replay(player: &Player, sessions: &[Vec<&str>], order: &[usize]) -> Result<(), Mismatch> {
    let mut done = vec![0; sessions.len()];
    let mut ids: Vec<ConnectionId> = vec![A; sessions.len()];
    for &session in order {
        let (id, step) = (ids[session], done[session]);
        done[session] += 1;
        if step == 0 {
            ids[session] = player.connect(&connect(A, "shop"))?.connection;
        } else if let Some(sql) = sessions[session].get(step - 1) {
            player.command(&run(id, step as u32, sql))?;
            assert_eq!(fetch_all(player, id, step as u32), [[*sql]]);
            player.housekeeping(&drop_of(id, step as u32));
        } else {
            player.disconnect(id);
        }
    }
    Ok(())
}

/// Records them so that a command and the fetching of its rows may have those of others between them. Connections open at first.
fn record_apart(directory: &std::path::Path, sessions: &[Vec<&str>], picks: &[Index]) {
    let recorder = recorder(directory);
    let ids: Vec<ConnectionId> = sessions.iter().map(|_| connected(&recorder, "shop")).collect();
    let counts: Vec<usize> = sessions.iter().map(|texts| 3 * texts.len()).collect();
    let mut done = vec![0; sessions.len()];
    for session in mixed(&counts, picks) {
        let (id, sql) = (ids[session], sessions[session][done[session] / 3]);
        let statement = done[session] as u32 / 3 + 1;
        match done[session] % 3 {
            0 => recorder.command(&run(id, statement, sql)).unwrap(),
            1 => result(&recorder, id, statement, &[&[sql]]),
            _ => recorder.note(&drop_of(id, statement)).unwrap(),
        }
        done[session] += 1;
    }
    ids.into_iter().for_each(|id| recorder.disconnect(id).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn threads_that_do_what_they_did_wait_for_their_turn_under_order_global(
        sessions in sessions(),
        recorded in prop::collection::vec(any::<Index>(), 1..40),
        pauses in prop::collection::vec(0u64..400, 1..20),
    ) {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("x");
        record_apart(&directory, &sessions, &recorded);
        let options = PlayOptions { order: Some(Order::Global), wait: Duration::from_secs(20), ..PlayOptions::default() };
        let player = Player::open(open_directory(&directory).unwrap(), options).unwrap();
        let connected = |_| player.connect(&connect(A, "shop")).unwrap().connection;
        let ids: Vec<ConnectionId> = sessions.iter().map(connected).collect();
        let failed: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = sessions.iter().zip(&ids).enumerate().map(|(thread, (texts, id))| {
                let (player, pauses) = (&player, pauses.iter().cycle().skip(thread));
                scope.spawn(move || {
                    let pause = |micros: &u64| std::thread::sleep(Duration::from_micros(*micros));
                    for ((statement, sql), micros) in (1..).zip(texts).zip(pauses) {
                        pause(micros);
                        player.command(&run(*id, statement, sql))?;
                        pause(micros);
                        while let Fetched::Rows(mut run) = player.fetch(*id, statement)? {
                            assert_eq!(rows(&mut run), [[*sql]]);
                            if run.ended() {
                                break;
                            }
                        }
                        player.housekeeping(&drop_of(*id, statement));
                    }
                    Ok::<(), Mismatch>(())
                })
            }).collect();
            threads.into_iter().filter_map(|thread| Some(thread.join().unwrap().err()?.report)).collect()
        });
        prop_assert!(failed.is_empty(), "{}", failed.join("\n"));
        for id in ids {
            player.disconnect(id);
        }
        prop_assert_eq!(player.unplayed().unwrap(), []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn independent_sessions_are_played_however_they_are_mixed(
        sessions in sessions(),
        recorded in prop::collection::vec(any::<Index>(), 1..20),
        played in prop::collection::vec(any::<Index>(), 1..20),
        shuffled in any::<Index>(),
    ) {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("x");
        record(&directory, &sessions, &mixed(&steps(&sessions), &recorded));
        // the program opens them in another order
        let mut live = sessions.clone();
        live.rotate_left(shuffled.index(sessions.len()));
        let player = play(&directory, Some(Order::Connection)).unwrap();
        let ended = replay(&player, &live, &mixed(&steps(&live), &played));
        prop_assert!(ended.is_ok(), "{}", ended.unwrap_err().report);
        prop_assert_eq!(player.unplayed().unwrap(), []);
        prop_assert!(!player.failed());
    }

    #[test]
    fn what_was_never_asked_is_a_mismatch_and_what_is_left_out_is_unplayed(
        sessions in sessions(),
        played in prop::collection::vec(any::<Index>(), 1..20),
        other in any::<Index>(),
        place in any::<Index>(),
    ) {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("x");
        let in_turn = mixed(&steps(&sessions), &[]);
        record(&directory, &sessions, &in_turn);
        let other = other.index(sessions.len());

        let mut changed = sessions.clone();
        let place = place.index(changed[other].len());
        changed[other][place] = "z";
        let player = play(&directory, Some(Order::Connection)).unwrap();
        let told = replay(&player, &changed, &mixed(&steps(&changed), &played)).unwrap_err();
        prop_assert!(told.report.contains("\"z\""), "{}", told.report);

        let mut shorter = sessions.clone();
        shorter[other].pop();
        let player = play(&directory, Some(Order::Connection)).unwrap();
        prop_assert!(replay(&player, &shorter, &mixed(&steps(&shorter), &played)).is_ok());
        prop_assert!(!player.unplayed().unwrap().is_empty());
    }

    #[test]
    fn under_order_global_only_the_recorded_mix_is_played(
        sessions in sessions(),
        recorded in prop::collection::vec(any::<Index>(), 1..20),
        played in prop::collection::vec(any::<Index>(), 1..20),
    ) {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("x");
        let order = mixed(&steps(&sessions), &recorded);
        record(&directory, &sessions, &order);
        let player = play(&directory, Some(Order::Global)).unwrap();
        let ended = replay(&player, &sessions, &order);
        prop_assert!(ended.is_ok(), "{}", ended.unwrap_err().report);
        prop_assert_eq!(player.unplayed().unwrap(), []);

        // in another mix the texts come in another order, unless they happen to be the same
        let other = mixed(&steps(&sessions), &played);
        let texts = |order: &[usize]| {
            let mut done = vec![0; sessions.len()];
            let step = |session: &usize| {
                done[*session] += 1;
                sessions[*session].get(usize::wrapping_sub(done[*session], 2)).copied()
            };
            order.iter().filter_map(step).collect::<Vec<_>>()
        };
        if texts(&order) != texts(&other) {
            let player = play(&directory, Some(Order::Global)).unwrap();
            prop_assert!(replay(&player, &sessions, &other).is_err());
        }
    }
}
