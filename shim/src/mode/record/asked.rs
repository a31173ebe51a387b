//! Asking the driver a question, so that the whole answer is known whatever room the application gave for it.

use super::{perform, performed};
use crate::args::Reply;
use crate::call::{DriverCall, Question};
use crate::diagnostics::{Outcome, rc};
use crate::mode::outcome::{follows, is_whole, room};
use crate::table::Function;
use super8_cassette::Fields;

/// What the driver said.
pub(super) struct Asked {
    /// What came of the application's call.
    pub(super) outcome: Outcome,
    replies: Vec<Reply>,
    /// What the driver said to the same question where there was room for everything, if the application gave less.
    whole: Option<(Outcome, Vec<Reply>)>,
    /// Whether the application's own reply is one that replay cannot make of the whole.
    special: bool,
}

/// One answer to be kept.
pub(super) struct Answer<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) replies: &'a [Reply],
    /// The room that it is the answer for; empty for the whole one.
    pub(super) room: Fields,
    /// Whether it need be kept only where another one was before: replay makes it of the whole one.
    pub(super) follows: bool,
}

impl Asked {
    /// The answers: the whole one first.
    pub(super) fn answers(&self, question: &Question<'_>) -> impl Iterator<Item = Answer<'_>> {
        let whole = self.whole.as_ref().map(|(outcome, replies)| Answer {
            outcome,
            replies,
            room: Fields::new(),
            follows: false,
        });
        let depends = self.special || self.whole.is_some();
        let own = Answer {
            outcome: &self.outcome,
            replies: &self.replies,
            room: if depends { room(question) } else { Fields::new() },
            follows: !self.special && self.whole.is_some(),
        };
        whole.into_iter().chain([own])
    }
}

/// Asks the driver, watching what it writes. Where the application gave too little room the driver is asked once more, with
/// room of our own, unless it executes asynchronously. What it had to say to the application was read before.
///
/// `width` says how many bytes the driver writes of the answer, a number.
pub(super) fn ask(
    function: Function,
    question: &Question<'_>,
    driver_call: &dyn DriverCall,
    asynchronous: bool,
    width: impl FnOnce(Function, &Question<'_>) -> Option<u8>,
) -> Asked {
    let text = question.text();
    let old: Vec<_> = question.outputs.iter().map(|(_, out)| out.arm()).collect();
    let outcome = perform(driver_call);
    let mut replies: Vec<_> = question.outputs.iter().zip(old).map(|((_, out), old)| out.harvest(old)).collect();
    if let ([(_, out)], [Reply::Number(_) | Reply::Sized { number: Some(_), .. }]) =
        (&question.outputs[..], &replies[..])
        && outcome.rc != rc::STILL_EXECUTING
        && let Some(width) = out.size().filter(|size| *size < 8).and_then(|_| width(function, question))
        && let Some(wide) = out.widen(&replies[0], width)
    {
        replies[0] = wide;
    }
    let special = !is_whole(function, question, &replies);
    let mut asked = Asked { outcome, replies, whole: None, special };
    if !special || asynchronous || asked.outcome.rc == rc::STILL_EXECUTING {
        return asked;
    }
    let again = driver_call.ask_again(function, question, text.as_deref());
    if let Some((code, replies)) = again {
        let outcome = performed(Some(code), driver_call);
        if outcome == asked.outcome && !rc::succeeded(outcome.rc) {
            // It fails whatever the room.
            asked.special = false;
        } else if rc::succeeded(code) || !rc::succeeded(asked.outcome.rc) {
            asked.special = asked.outcome != outcome || !follows(question, &asked.replies, &replies);
            asked.whole = Some((outcome, replies));
        }
    } else if !rc::succeeded(asked.outcome.rc) {
        asked.special = false;
    }
    asked
}
