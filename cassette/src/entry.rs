//! One item of `commands.yml` (or of an info file): a method, where it happened, and its fields in written order.

use crate::Value;

/// A connection's number in its cassette: 0 is `a`, 25 is `z`, 26 is `aa`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mut letters, mut rest) = (Vec::new(), self.0 as u64 + 1);
        while rest > 0 {
            rest -= 1;
            letters.push(b'a' + (rest % 26) as u8);
            rest /= 26;
        }
        letters.iter().rev().try_for_each(|letter| write!(f, "{}", *letter as char))
    }
}

impl std::str::FromStr for ConnectionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ConnectionId::from_letters(text.as_bytes())
            .ok_or_else(|| format!("`{text}` is not a connection id (a, b, ..., z, aa, ab, ...)"))
    }
}

impl ConnectionId {
    /// The connection with these letters.
    pub(crate) fn from_letters(letters: &[u8]) -> Option<ConnectionId> {
        let number = letters.iter().try_fold(0u64, |sum, letter| match letter {
            b'a'..=b'z' if sum <= u64::from(u32::MAX) => Some(sum * 26 + u64::from(letter - b'a') + 1),
            _ => None,
        })?;
        u32::try_from(number.checked_sub(1)?).ok().map(ConnectionId)
    }
}

/// How a method takes part in replay (the design's section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reaches the database; verified in recorded order.
    Command,
    /// A question; served whenever it is asked, within its scope.
    Answer,
    /// Closing and freeing; recorded where it happened, never order-checked.
    Housekeeping,
}

macro_rules! methods {
    ($($variant:ident $name:literal $class:ident,)*) => {
        /// The method of an entry, by its name in the cassette.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // each variant is the method of the same name
        pub enum Method { $($variant,)* }

        impl Method {
            /// Every method.
            pub const ALL: &[Method] = &[$(Method::$variant,)*];

            /// The name in the cassette.
            pub const fn name(self) -> &'static str {
                match self { $(Method::$variant => $name,)* }
            }

            /// The method with this name.
            pub fn from_name(name: &str) -> Option<Method> {
                match name { $($name => Some(Method::$variant),)* _ => None }
            }

            /// How the method takes part in replay.
            pub const fn class(self) -> Class {
                match self { $(Method::$variant => Class::$class,)* }
            }
        }
    };
}

methods! {
    Connect "connect" Command,
    Run "run" Command,
    Prepare "prepare" Command,
    Execute "execute" Command,
    Catalog "catalog" Command,
    Fetch "fetch" Command,
    FetchAll "fetch_all" Command,
    FetchMany "fetch_many" Command,
    FetchScroll "fetch_scroll" Command,
    SetPos "set_pos" Command,
    BulkOperations "bulk_operations" Command,
    MoreResults "more_results" Command,
    ParamData "param_data" Command,
    SetConnectAttr "set_connect_attr" Command,
    Commit "commit" Command,
    Rollback "rollback" Command,
    Columns "columns" Answer,
    GetData "get_data" Answer,
    Answer "answer" Answer,
    RowCount "row_count" Answer,
    NumParams "num_params" Answer,
    DescribeParam "describe_param" Answer,
    NativeSql "native_sql" Answer,
    CursorName "cursor_name" Answer,
    Cancel "cancel" Housekeeping,
    Close "close" Housekeeping,
    Drop "drop" Housekeeping,
    Disconnect "disconnect" Housekeeping,
}

impl Method {
    /// Whether this is one of the methods that stand for fetched rows: three for a run of them, and one scroll.
    pub const fn is_rows(self) -> bool {
        matches!(self, Method::Fetch | Method::FetchAll | Method::FetchMany | Method::FetchScroll)
    }
}

/// The key under which a command says by which thread of its connection it was given, where there is more than one: the
/// first field of an entry that has it.
pub const THREAD: &str = "thread";

/// One item of the command log.
///
/// `fields` holds everything but the three leading keys, in written order: inputs, then `result` or a file key,
/// then `return` (only if not SQL_SUCCESS) and `diagnostics`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What was done.
    pub method: Method,
    /// On which connection.
    pub connection: ConnectionId,
    /// On which statement of the connection; `None` for what concerns the connection itself.
    pub statement: Option<u32>,
    /// The remaining fields in written order.
    pub fields: Vec<(String, Value)>,
}

impl Entry {
    /// An entry without fields.
    pub fn new(method: Method, connection: ConnectionId, statement: Option<u32>) -> Self {
        Entry { method, connection, statement, fields: Vec::new() }
    }

    /// The same entry with one more field.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.fields.push((key.to_owned(), value.into()));
        self
    }

    /// Which of the threads that used the connection did this, from 1.
    pub fn thread(&self) -> u16 {
        let number = self.get(THREAD).and_then(Value::as_int);
        number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0).unwrap_or(1)
    }

    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_ids_are_letters_and_back() {
        for (number, letters) in [(0, "a"), (25, "z"), (26, "aa"), (701, "zz"), (702, "aaa"), (u32::MAX, "mwlqkwv")] {
            assert_eq!(ConnectionId(number).to_string(), letters);
            assert_eq!(letters.parse(), Ok(ConnectionId(number)));
        }
        for other in ["", "A", "a1", "mwlqkww", "zzzzzzzzzz"] {
            assert!(other.parse::<ConnectionId>().is_err(), "{other}");
        }
        for number in 0..100_000 {
            assert_eq!(ConnectionId(number).to_string().parse(), Ok(ConnectionId(number)));
        }
    }

    #[test]
    fn every_method_is_found_by_its_name() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(*method));
        }
        assert_eq!(Method::from_name("Run"), None);
    }
}
