//! What the process knows to be secret: what one connection makes known is hidden in the cassettes of all.

use super::ending::warn_at_end;
use once_cell::sync::Lazy;
use std::path::Path;
use std::sync::{Arc, Once};
use super8_cassette::{SHORTEST_SECRET, Secrets};

static SECRETS: Lazy<Arc<Secrets>> = Lazy::new(Arc::default);

/// What the process knows to be secret.
pub fn secrets() -> &'static Arc<Secrets> {
    &SECRETS
}

/// Says once that a password stays in the clear where it stands among data.
pub fn warn_of_short_password(log: Option<&Path>) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let text = format!(
            "super8: record: a password has less than {SHORTEST_SECRET} characters: it is hidden in connection strings, but \
             not among the data, where it may stand by chance; choose a longer one for recording"
        );
        warn_at_end(log, text);
    });
}
