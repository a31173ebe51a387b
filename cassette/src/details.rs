//! The schema of the maps that stand inside the values of fields: diagnostic records, what happened on single rows, calls of
//! SQLGetData, replies of several outputs.
//!
//! What may stand in such a map, and its description in the format's reference page, follows from these two tables.

use crate::Value;

macro_rules! details {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal,)*) => {
        /// A key of a map inside a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Detail { $($(#[doc = $doc])+ $variant,)* }

        impl Detail {
            /// All keys.
            pub const ALL: &[Detail] = &[$(Detail::$variant,)*];

            /// Returns the key as a cassette has it.
            pub const fn name(self) -> &'static str {
                match self { $(Detail::$variant => $name,)* }
            }

            /// Returns the key with this name.
            pub fn from_name(name: &str) -> Option<Detail> {
                match name { $($name => Some(Detail::$variant),)* _ => None }
            }

            /// Returns what it says, for the reference page.
            pub const fn doc(self) -> &'static str {
                match self { $(Detail::$variant => concat!($($doc, "\n"),+),)* }
            }
        }
    };
}

details! {
    // a diagnostic record
    /// The SQLSTATE, five characters.
    Sqlstate "sqlstate",
    /// The driver's own number of the error.
    Native "native",
    /// The text of the message.
    Message "message",
    /// The row, from 1.
    Row "row",
    /// The column, from 1.
    Column "column",
    /// `true` if the driver splits the message into as many records as its reader's first buffer calls for.
    InPieces "in_pieces",
    /// `true` if the driver says SQL_SUCCESS where the message's buffer has no room at all.
    SilentWithoutRoom "silent_without_room",
    /// SQL_DIAG_CLASS_ORIGIN, where it is not what ODBC leads one to expect. It is a map with `return` if the driver gave only a return code.
    ClassOrigin "class_origin",
    /// SQL_DIAG_SUBCLASS_ORIGIN, in the same way.
    SubclassOrigin "subclass_origin",
    /// SQL_DIAG_CONNECTION_NAME, in the same way.
    ConnectionName "connection_name",
    /// SQL_DIAG_SERVER_NAME, in the same way.
    ServerName "server_name",

    // what a call did
    /// The return code, if it is not SQL_SUCCESS.
    Return "return",
    /// The diagnostic records.
    Diagnostics "diagnostics",
    /// The row's status.
    Status "status",
    /// By column: the C type of the cell, where it is not that of the column.
    CTypes "c_types",
    /// By column: what the fetch wrote to the length of a column that is bound without a buffer.
    Lengths "lengths",
    /// The columns whose buffers the driver filled with text without writing a terminator.
    Unterminated "unterminated",
    /// The calls of SQLGetData that say more than the row's cell.
    GetData "get_data",
    /// The parameter, from 1.
    Parameter "parameter",
    /// The C type.
    CType "c_type",
    /// The length of the program's buffer, in bytes.
    Buffer "buffer",
    /// The length that the driver wrote. `null` in a reply whose text came without one.
    Length "length",
    /// What the call gave, if that is not the row's cell; the number of a reply.
    Value "value",
    /// The byte that the driver wrote behind the whole characters of a buffer for wide characters whose length is odd.
    Half "half",
    /// `false` for a text without a terminator that fills the buffer.
    Terminated "terminated",

    // a reply, a large value
    /// The text of a reply.
    Text "text",
    /// How many bytes the driver wrote of a number, or how many a large value has.
    Bytes "bytes",
    /// The SHA-256 of a value of more than 4 KiB, in hex.
    Sha256 "sha256",
}

impl Detail {
    /// Returns the pair of a map with this key.
    pub fn with(self, value: impl Into<Value>) -> (String, Value) {
        (self.name().to_owned(), value.into())
    }
}

impl std::fmt::Display for Detail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Value {
    /// Returns the value under a key, if this is a map that has it.
    pub fn detail(&self, detail: Detail) -> Option<&Value> {
        self.get(detail.name())
    }
}

macro_rules! maps {
    ($(#[doc = $doc:literal] $variant:ident [$($detail:ident),* $(,)?],)*) => {
        /// A map inside a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Map { $(#[doc = $doc] $variant,)* }

        impl Map {
            /// All maps.
            pub const ALL: &[Map] = &[$(Map::$variant,)*];

            /// Returns the keys that it may have.
            pub const fn details(self) -> &'static [Detail] {
                match self { $(Map::$variant => &[$(Detail::$detail,)*],)* }
            }

            /// Names it, for messages and the reference page.
            pub const fn doc(self) -> &'static str {
                match self { $(Map::$variant => $doc,)* }
            }
        }
    };
}

maps! {
    /// a diagnostic record
    Diagnostic [
        Sqlstate, Native, Message, Row, Column, InPieces, SilentWithoutRoom, ClassOrigin, SubclassOrigin, ConnectionName, ServerName,
    ],
    /// an outcome of a row
    Outcome [Row, Return, Diagnostics, Status, CTypes, Lengths, Unterminated, GetData],
    /// a call of SQLGetData
    GetDataCall [Column, Parameter, CType, Buffer, Length, Return, Diagnostics, Value, Half, Terminated],
    /// a reply that is more, or less, than a number or a text
    Reply [Text, Value, Length, Bytes, Terminated],
    /// a completed connection string
    Completed [Text, Length, Terminated, Buffer],
    /// a value of more than 4 KiB
    Digest [Sha256, Bytes],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_key() {
        for detail in Detail::ALL {
            assert_eq!(Detail::from_name(detail.name()), Some(*detail));
        }
    }

    #[test]
    fn every_key_is_one_of_some_map() {
        for detail in Detail::ALL {
            assert!(Map::ALL.iter().any(|map| map.details().contains(detail)), "{detail}");
        }
    }
}
