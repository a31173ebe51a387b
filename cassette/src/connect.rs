//! What a connect says about itself: whose facts it shares, whether it succeeded, whether a replayed one agrees with it.

use sha2::{Digest as _, Sha256};

use crate::{Entry, Key};

/// Tells connects apart that may get different replies: data source or driver, and the connection string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(Digest);

/// What stands for a text: as many bytes of its SHA-256 as make a second text with the same ones out of the question.
pub(crate) type Digest = [u8; 16];

/// The digest of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    let whole = Sha256::digest(bytes);
    std::array::from_fn(|at| whole[at])
}

/// The identity of a connect entry.
pub(crate) fn identity(entry: &Entry) -> Identity {
    let named = [Key::Dsn, Key::Driver, Key::ConnectionString].map(|key| entry.get(key));
    Identity(digest(format!("{named:?}").as_bytes()))
}
