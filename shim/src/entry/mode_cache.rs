//! A thread-local cache of the mode of the statement that a thread called last. Every cell is read by a call of its
//! own, and taking a lock and a reference count for each of them is a good part of what it costs to record or replay a
//! cell.

use crate::handles::{Statement, Token};
use crate::mode::StatementMode;
use std::cell::Cell;
use std::sync::Arc;

type Kept = (Token, Arc<dyn StatementMode>);

thread_local! {
    /// Cannot be out of date, because a token is never given out again and its statement keeps one mode for life. The
    /// reference keeps the mode alive if another thread frees the statement during the call.
    static LATEST: Cell<Option<Kept>> = const { Cell::new(None) };
}

/// Runs `action` with the mode of a live statement. Returns `None` if the statement has no mode, or none any more.
#[inline]
pub fn with<R>(token: Token, statement: &Statement, action: impl FnOnce(&dyn StatementMode) -> R) -> Option<R> {
    // A thread that is ending has no cache any more, and a call made from within this call finds it empty.
    let kept = LATEST.try_with(Cell::take).ok().flatten().filter(|(of, _)| *of == token);
    let kept = match kept {
        Some(kept) => kept,
        None => (token, statement.mode.lock().clone()?),
    };
    let result = action(&*kept.1);
    let _ = LATEST.try_with(|latest| latest.set(Some(kept)));
    Some(result)
}

/// Drops what this thread has cached of a statement that is gone.
pub fn forget(token: Token) {
    let _ = LATEST.try_with(|latest| latest.set(latest.take().filter(|(of, _)| *of != token)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Binding;
    use crate::call::{Call, DriverCall};
    use crate::descriptor::DescriptorRole;
    use crate::diagnostics::Outcome;
    use crate::handles::STATEMENTS;
    use crate::table::Function;

    struct Mode;

    impl StatementMode for Mode {
        fn serve(&self, _: Function, _: &Call<'_>, _: &dyn DriverCall) -> Outcome {
            Outcome::SUCCESS
        }

        fn get_data(&self, _: u16, _: &Binding, _: &dyn DriverCall) -> Outcome {
            Outcome::SUCCESS
        }

        fn serve_descriptor(&self, _: DescriptorRole, _: Function, _: &Call<'_>, _: &dyn DriverCall) -> Outcome {
            Outcome::SUCCESS
        }

        fn content(&self, _: DescriptorRole) -> crate::descriptor::Content {
            crate::descriptor::Content::Columns
        }

        fn is_applications(&self) {}

        fn dropped(&self) {}
    }

    #[test]
    fn a_statement_freed_during_a_call_lives_until_the_call_returns() {
        let (token, statement) = STATEMENTS.allocate().unwrap();
        assert!(with(token, statement, |_| ()).is_none(), "no mode yet");
        let mode: Arc<dyn StatementMode> = Arc::new(Mode);
        let watched = Arc::downgrade(&mode);
        *statement.mode.lock() = Some(mode);
        assert!(with(token, statement, |_| ()).is_some());
        assert_eq!(watched.strong_count(), 2, "the statement's and this thread's");
        with(token, statement, |_| {
            // As another thread would do.
            *statement.mode.lock() = None;
            STATEMENTS.release(token);
            assert_eq!(watched.strong_count(), 1, "the call's own");
        });
        forget(token);
        assert_eq!(watched.strong_count(), 0);
        let (next, statement) = STATEMENTS.allocate().unwrap();
        assert!(next != token && with(next, statement, |_| ()).is_none());
        STATEMENTS.release(next);
    }
}
