//! The schema of a cassette: each method with the fields that its entry may have, and each field with its key, its role
//! in matching, the form of its value and a line of documentation.
//!
//! Everything that is true of a field follows from these two tables: which keys a file may have, what matching compares and
//! leaves out, what is a name and what is a value when secrets are hidden, and the tables of the format's reference page.

use crate::words;

/// How a method takes part in replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It reaches the database. Replay wants it in recorded order.
    Command,
    /// A question. Replay answers it as often as it is asked.
    Answer,
    /// Closing and freeing. It is recorded where it happened, and replay never insists on it.
    Housekeeping,
}

/// The role of a field in matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the program sent. It is compared, even if the program leaves it out.
    Input,
    /// What tells one question or call from another. It is compared only if the program has it.
    Question,
    /// What came back. It is never compared, and replay hands it out.
    Reply,
    /// Something about the entry itself, from super8 or from a person.
    Mark,
}

macro_rules! shapes {
    ($(#[doc = $doc:literal] $variant:ident,)*) => {
        /// The form of a field's value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Shape { $(#[doc = $doc] $variant,)* }

        impl Shape {
            /// Describes the form in words, for the reference page.
            pub const fn doc(self) -> &'static str {
                match self { $(Shape::$variant => $doc,)* }
            }
        }
    };
}

shapes! {
    /// Any value.
    Any,
    /// A text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A count of 32 bits.
    Count,
    /// A number of rows.
    Rows,
    /// The name of a file of the cassette.
    File,
    /// A return code, by its name or as a number.
    Return,
    /// A list of diagnostic records.
    Diagnostics,
    /// A C type, by its name or as a number.
    CType,
    /// A list of C types, `null` where a column has none.
    CTypes,
    /// A list of the types of parameters: a C type, or `integer`, `float` or `text`.
    Types,
    /// The name of an ODBC function.
    Function,
    /// One of these words:
    About,
    /// The reply to a question: a number of 64 bits, a text, or a map of them.
    Reply,
    /// A list of rows, each a list of cells.
    Cells,
    /// A list of what happened on single rows of a run.
    Outcomes,
    /// A list of calls of SQLGetData.
    Calls,
    /// One of these words, or a number:
    Orientation,
    /// One of these words, or a number:
    Operation,
    /// One of these words, or a number:
    Lock,
    /// One of these words:
    ConnectAttribute,
    /// A map with these keys:
    ConnectAttributes,
    /// A map with these keys:
    StatementAttributes,
    /// This word:
    Hidden,
    /// One of these words:
    Matching,
    /// A time.
    Delay,
    /// A fault.
    Fault,
}

impl Shape {
    /// Returns the words, or the keys of a map, that a value of this form may have.
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Shape::About => &words::ABOUT,
            Shape::Orientation => &words::ORIENTATIONS,
            Shape::Operation => &words::OPERATIONS,
            Shape::Lock => &words::LOCKS,
            Shape::ConnectAttribute | Shape::ConnectAttributes => &words::CONNECT_ATTRIBUTES,
            Shape::StatementAttributes => &words::STATEMENT_ATTRIBUTES,
            Shape::Hidden => &[words::HIDDEN],
            Shape::Matching => &words::MATCHING,
            _ => &[],
        }
    }
}

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $role:ident $shape:ident,)*) => {
        /// The key of a field of an entry, or of an answer about a connection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Key { $($(#[doc = $doc])+ $variant,)* }

        impl Key {
            /// All keys.
            pub const ALL: &[Key] = &[$(Key::$variant,)*];

            /// Returns the key as a cassette has it.
            pub const fn name(self) -> &'static str {
                match self { $(Key::$variant => $name,)* }
            }

            /// Returns the key with this name.
            pub fn from_name(name: &str) -> Option<Key> {
                match name { $($name => Some(Key::$variant),)* _ => None }
            }

            /// Returns the role of the field in matching.
            pub const fn role(self) -> Role {
                match self { $(Key::$variant => Role::$role,)* }
            }

            /// Returns the form of the value, unless a method says otherwise.
            const fn usual_shape(self) -> Shape {
                match self { $(Key::$variant => Shape::$shape,)* }
            }

            /// Returns what the field says, for the reference page.
            pub const fn doc(self) -> &'static str {
                match self { $(Key::$variant => concat!($($doc, "\n"),+),)* }
            }
        }
    };
}

impl Key {
    /// Says whether the field came back from the driver.
    pub const fn is_reply(self) -> bool {
        matches!(self.role(), Role::Reply)
    }

    /// Says whether the value is a name that the cassette or ODBC defines, never data. Redaction leaves names alone.
    pub(crate) const fn is_name(self) -> bool {
        use Shape::{CTypes, ConnectAttribute, File, Function, Return, Types};
        matches!(self.usual_shape(), File | CTypes | Types | Function | Return | ConnectAttribute)
    }

    /// Says whether the value names a file of the cassette.
    pub const fn is_file(self) -> bool {
        matches!(self.usual_shape(), Shape::File)
    }

    /// Says whether the field is compared even if the program leaves it out.
    pub const fn is_input(self) -> bool {
        matches!(self.role(), Role::Input)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

keys! {
    // what a connect asks for
    /// The data source.
    Dsn "dsn" Input Text,
    /// The driver, where no data source is named; in a cassette made by hand also the one whose answers the program gets: `postgresql`,
    /// `postgresql-ansi`, `mariadb` or `sqlite`.
    Driver "driver" Input Text,
    /// The connection string, without secrets.
    ConnectionString "connection_string" Question Text,
    /// The keys of the data source's section of `odbc.ini` that are known to be harmless.
    DsnSection "dsn_section" Question Any,
    /// The file name of the real driver, where `metadata.yml` names another one.
    Library "library" Question Text,
    /// `ansi` or `unicode` for a connect whose driver is not that of `metadata.yml`; what a question is about.
    Kind "kind" Question Any,
    /// `true` where a forked child goes on with a connection of its parent's.
    Continued "continued" Input Flag,
    /// The connection's id in the parent's cassette.
    Parent "parent" Question Text,
    /// The completed connection string, without secrets.
    Completed "completed" Reply Any,
    /// How strictly a replayed connect is compared. Not written.
    Verify "verify" Question Any,
    /// A digest of the user a replayed connect names. Not written.
    UserHash "user_hash" Question Any,

    // what a statement asks for
    /// The text of the statement.
    Sql "sql" Input Text,
    /// The parameters, or a list of them for each set of an array.
    Params "params" Input Any,
    /// The file with the sets of a large array of parameters.
    ParamsFile "params_file" Question File,
    /// The types of the columns of `params_file`.
    Types "types" Question Types,
    /// The attributes that were set and that the database sees.
    Attributes "attributes" Input StatementAttributes,
    /// The ODBC function.
    Function "function" Input Function,
    /// The arguments of a catalog function. A null pointer is `null`.
    Arguments "arguments" Input Any,
    /// The attribute, by its name.
    Attribute "attribute" Input ConnectAttribute,
    /// What an attribute is set to.
    Value "value" Input Any,
    /// Where a scroll goes.
    Orientation "orientation" Input Orientation,
    /// How far a scroll goes.
    Offset "offset" Input Any,
    /// The bookmark a scroll starts from.
    Bookmark "bookmark" Input Any,
    /// What is done to rows.
    Operation "operation" Input Operation,
    /// The row of the rowset, from 1; 0 for all.
    Row "row" Input Any,
    /// What becomes of the row's lock.
    Lock "lock" Input Lock,
    /// How many rows the program asked for, where it is not one.
    Rowset "rowset" Input Rows,
    /// The rows that the program told the driver to leave alone.
    Ignored "ignored" Input Any,
    /// The values the program gave for the rows.
    Values "values" Input Any,

    // what came of it
    /// What came back: a row, the values of output parameters, a reply, or `null` for the end.
    Result "result" Reply Any,
    /// The values of output parameters that are known after the last result.
    Output "output" Reply Any,
    /// How many rows there are.
    N "n" Question Rows,
    /// The file with the rows.
    RowsFile "rows_file" Reply File,
    /// The rows themselves, where they are few.
    Rows "rows" Reply Any,
    /// The C types of the cells, where they are not all text.
    CTypes "c_types" Reply CTypes,
    /// `true` if the first cell of each row is its bookmark.
    Bookmarks "bookmarks" Reply Flag,
    /// What happened on single rows.
    Outcomes "outcomes" Reply Outcomes,
    /// How many rows the driver said it fetched.
    RowsFetched "rows_fetched" Reply Any,
    /// The status of each row.
    RowStatus "row_status" Reply Any,
    /// The status of each row as SQLExtendedFetch keeps it.
    ExtendedStatus "extended_status" Reply Any,
    /// What a failed fetch wrote to bound buffers. Older recordings have it.
    Written "written" Reply Cells,
    /// How many sets of parameters the driver processed.
    ParamsProcessed "params_processed" Reply Count,
    /// The status of each set of parameters.
    ParamStatus "param_status" Reply Any,
    /// The file with the description of the columns.
    ColumnsFile "columns_file" Reply File,
    /// The calls of SQLGetData that read a value in pieces.
    Calls "calls" Reply Calls,
    /// The file with the answers about the connection; connections that are told the same name the same one.
    InfoFile "info_file" Reply File,
    /// The return code, if it is not SQL_SUCCESS.
    Return "return" Reply Return,
    /// The diagnostic records.
    Diagnostics "diagnostics" Reply Diagnostics,

    // what tells one question from another
    /// What the answer is about, where no function asks for it.
    About "about" Question About,
    /// The connection, where a question names one.
    ConnectionId "connection_id" Question Any,
    /// The statement, where a question names one.
    StatementId "statement_id" Question Any,
    /// A function whose support is asked for.
    Id "id" Question Any,
    /// What SQLGetInfo is asked for.
    Info "info" Question Any,
    /// The column, from 1.
    Column "column" Question Any,
    /// The parameter, from 1.
    Parameter "parameter" Question Any,
    /// The diagnostic record, or the record of a descriptor.
    Record "record" Question Any,
    /// The field of a column, a descriptor or a diagnostic record.
    Field "field" Question Any,
    /// The descriptor.
    Descriptor "descriptor" Question Any,
    /// The SQL type.
    Type "type" Question Any,
    /// The direction of a parameter.
    Io "io" Question Any,
    /// The C type.
    CType "c_type" Question CType,
    /// The SQL type of a parameter.
    SqlType "sql_type" Question Any,
    /// The name that is set.
    Name "name" Question Any,
    /// The concurrency that SQLSetScrollOptions is asked for.
    Concurrency "concurrency" Question Any,
    /// The keyset that SQLSetScrollOptions is asked for.
    Keyset "keyset" Question Any,
    /// The option.
    Option "option" Question Any,
    /// The descriptor that is copied.
    Source "source" Question Any,
    /// Which attempt it was, from 1.
    Attempt "attempt" Question Any,
    /// Which call of its kind it was, from 1.
    Call "call" Question Any,
    /// Which execution it was, from 1.
    Execution "execution" Question Any,
    /// The function that a polled call executes.
    Executing "executing" Question Function,
    /// Which step it was.
    Step "step" Question Any,
    /// The SQLSTATE that is asked about.
    Sqlstate "sqlstate" Question Any,
    /// The set of an array of parameters, or what the program had set itself.
    Set "set" Question Any,
    /// The room the answer was asked with, in bytes, or `none`.
    Buffer "buffer" Question Any,
    /// `none` where the program gave no place for the length.
    Length "length" Question Any,
    /// `true` where the program asked for wide characters.
    Wide "wide" Question Flag,
    /// After how many questions since the last command the reply changed.
    After "after" Question Count,

    // what a person writes in a cassette made by hand
    /// The columns of the result: a list of maps, or a map of names to types.
    Columns "columns" Reply Any,
    /// How many rows a statement changed.
    RowCount "row_count" Reply Any,
    /// How often the entry is played: a number, or a number and two dots for that often or more.
    Times "times" Mark Any,
    /// How the text of the statement is compared.
    Match "match" Mark Matching,
    /// Entries that are played in any order. It stands in the place of an entry.
    Unordered "unordered" Mark Any,

    // what is said about the entry
    /// How long the command takes at replay: a number and `ms`, `s` or `m`.
    Delay "delay" Mark Delay,
    /// How the command fails once, by a name of [the command's page](cli.md#a-fault) or a SQLSTATE.
    Fault "fault" Mark Fault,
    /// What may differ from run to run.
    Volatile "volatile" Mark Any,
    /// That what is said here stays when the same is asked while recording again.
    Keep "keep" Mark Flag,
    /// That the program's own text has a secret that is hidden here.
    Secrets "secrets" Mark Hidden,
    /// Which thread of the connection did it, from 1, where there are several.
    Thread "thread" Mark Any,
    /// The part that has the rows of a fetch under way. Only the journal of a recording has it.
    Part "part" Mark File,
    /// Which of the fetches under way began first. Only the journal of a recording has it.
    OpenRun "run" Mark Any,
}

macro_rules! methods {
    (@shape $key:ident) => { Key::$key.usual_shape() };
    (@shape $key:ident $shape:ident) => { Shape::$shape };
    ($(#[doc = $functions:literal] $variant:ident $name:literal $class:ident [$($key:ident $(as $shape:ident)?),* $(,)?];)*) => {
        /// The method of an entry, by its name in the cassette.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method { $(#[doc = $functions] $variant,)* }

        impl Method {
            /// All methods.
            pub const ALL: &[Method] = &[$(Method::$variant,)*];

            /// Returns the name in the cassette.
            pub const fn name(self) -> &'static str {
                match self { $(Method::$variant => $name,)* }
            }

            /// Returns the method with this name.
            pub fn from_name(name: &str) -> Option<Method> {
                Method::from_bytes(name.as_bytes())
            }

            /// Returns the method with this name, which need not be UTF-8.
            pub(crate) fn from_bytes(name: &[u8]) -> Option<Method> {
                $(if name == $name.as_bytes() { return Some(Method::$variant); })*
                None
            }

            /// Returns how the method takes part in replay.
            pub const fn class(self) -> Class {
                match self { $(Method::$variant => Class::$class,)* }
            }

            /// Returns the ODBC functions that it stands for.
            pub const fn functions(self) -> &'static str {
                match self { $(Method::$variant => $functions,)* }
            }

            /// Returns the method's own fields in written order, with the forms of their values.
            pub const fn fields(self) -> &'static [(Key, Shape)] {
                match self { $(Method::$variant => const { &[$((Key::$key, methods!(@shape $key $($shape)?)),)*] },)* }
            }
        }
    };
}

methods! {
    /// SQLConnect, SQLDriverConnect, each step of SQLBrowseConnect
    Connect "connect" Command [
        Dsn, Driver, ConnectionString, DsnSection, Attributes as ConnectAttributes, Library, Kind, Result, Completed, InfoFile,
        Continued, Parent,
    ];
    /// SQLExecDirect
    Run "run" Command [
        Sql, Params, ParamsFile, Types, Attributes, ParamsProcessed, ParamStatus, Result, CTypes,
    ];
    /// SQLPrepare
    Prepare "prepare" Command [Sql, Attributes as Any, Result];
    /// SQLExecute
    Execute "execute" Command [Params, ParamsFile, Types, Attributes, ParamsProcessed, ParamStatus, Result, CTypes];
    /// SQLTables, SQLColumns and the like, SQLGetTypeInfo
    Catalog "catalog" Command [Function, Arguments, Attributes, Result];
    /// any function that fetches
    Fetch "fetch" Command [Rowset, Result, CTypes, Bookmarks, Outcomes, RowsFetched, RowStatus, Written];
    /// any function that fetches
    FetchAll "fetch_all" Command [N, RowsFile, Rows, CTypes, Bookmarks, Outcomes];
    /// any function that fetches
    FetchMany "fetch_many" Command [N, RowsFile, Rows, CTypes, Bookmarks, Outcomes];
    /// SQLFetchScroll and SQLExtendedFetch, except for SQL_FETCH_NEXT
    FetchScroll "fetch_scroll" Command [
        Orientation, Offset, Bookmark, Rowset, Result, Rows, N, RowsFile, CTypes, Bookmarks, Outcomes, RowsFetched, RowStatus,
        Written,
    ];
    /// SQLSetPos
    SetPos "set_pos" Command [
        Operation, Row, Lock, Rowset, Ignored, Bookmarks, Values, Rows as Cells, CTypes, RowsFetched, RowStatus, ExtendedStatus,
        Result,
    ];
    /// SQLBulkOperations
    BulkOperations "bulk_operations" Command [
        Operation, Row, Lock, Rowset, Ignored, Bookmarks, Values, Rows as Cells, CTypes, RowsFetched, RowStatus, ExtendedStatus,
        Result,
    ];
    /// SQLMoreResults
    MoreResults "more_results" Command [Result, Output, CTypes];
    /// SQLParamData that hands out an output parameter to be read in pieces
    ParamData "param_data" Command [Parameter, Set, ParamsProcessed, Result];
    /// SQLSetConnectAttr, SQLSetConnectOption
    SetConnectAttr "set_connect_attr" Command [Attribute, Value, Result];
    /// SQLEndTran, SQLTransact
    Commit "commit" Command [Result];
    /// SQLEndTran, SQLTransact
    Rollback "rollback" Command [Result];
    /// SQLNumResultCols, SQLDescribeCol, SQLColAttribute
    Columns "columns" Answer [ColumnsFile];
    /// SQLGetData on a parameter, or on a row that is written already
    GetData "get_data" Answer [Column, Parameter, Rowset, CType, Result, Calls];
    /// any other question
    Answer "answer" Answer [
        Function, About, ConnectionId, StatementId, Id, Info, Attribute as Any, Value, Column, Parameter, Record, Field, Descriptor, Sql as Any,
        Type, Kind, Io, CType, SqlType, Name, Concurrency, Keyset, Rowset, Rows, Option, Source, Attempt, Call, Execution,
        Executing, Step, Sqlstate, Set, Buffer, Length, Wide, After, Result as Reply, ParamStatus,
    ];
    /// SQLRowCount
    RowCount "row_count" Answer [After, Result];
    /// SQLNumParams
    NumParams "num_params" Answer [After, Result];
    /// SQLDescribeParam
    DescribeParam "describe_param" Answer [Parameter, After, Result];
    /// SQLNativeSql
    NativeSql "native_sql" Answer [Sql as Any, Buffer, Length, Wide, After, Result];
    /// SQLGetCursorName
    CursorName "cursor_name" Answer [Set, Buffer, Length, Wide, After, Result];
    /// SQLCancel
    Cancel "cancel" Housekeeping [Result];
    /// SQLCloseCursor, SQLFreeStmt
    Close "close" Housekeeping [Result];
    /// SQLFreeHandle
    Drop "drop" Housekeeping [Result];
    /// SQLDisconnect
    Disconnect "disconnect" Housekeeping [Result];
}

/// The fields that an entry of any method may have in addition to [`Method::fields`].
pub const COMMON: [Key; 7] =
    [Key::Return, Key::Diagnostics, Key::Delay, Key::Volatile, Key::Keep, Key::Secrets, Key::Thread];

/// The additional fields that an entry of a cassette written by hand may have.
pub const BY_HAND: [Key; 7] =
    [Key::Columns, Key::Rows, Key::RowsFile, Key::RowCount, Key::Times, Key::Match, Key::Fault];

impl Method {
    /// Says whether an entry of a cassette written by hand may have this field of [`BY_HAND`].
    pub const fn takes_by_hand(self, key: Key) -> bool {
        match key {
            Key::Columns | Key::Rows | Key::RowsFile | Key::RowCount => {
                matches!(self, Method::Run | Method::Execute | Method::Catalog | Method::MoreResults)
            }
            Key::Times => matches!(
                self,
                Method::Connect
                    | Method::Run
                    | Method::Catalog
                    | Method::SetConnectAttr
                    | Method::Commit
                    | Method::Rollback
            ),
            Key::Match => matches!(self, Method::Run | Method::Prepare),
            Key::Fault => matches!(
                self,
                Method::Connect
                    | Method::Run
                    | Method::Prepare
                    | Method::Execute
                    | Method::Catalog
                    | Method::SetConnectAttr
                    | Method::Commit
                    | Method::Rollback
            ),
            _ => false,
        }
    }

    /// Says whether it ends a transaction.
    pub const fn ends_transaction(self) -> bool {
        matches!(self, Method::Commit | Method::Rollback)
    }

    /// Says whether the command gives its statement a new text, and so a new statement id.
    pub const fn gives_new_text(self) -> bool {
        matches!(self, Method::Run | Method::Prepare | Method::Catalog)
    }

    /// Says whether the entry stands for fetched rows.
    pub const fn is_rows(self) -> bool {
        matches!(self, Method::Fetch | Method::FetchAll | Method::FetchMany | Method::FetchScroll)
    }

    /// Returns the form of a field's value; `None` if the method has no such field.
    pub fn shape(self, key: Key) -> Option<Shape> {
        let own = self.fields().iter().find(|(known, _)| *known == key).map(|(_, shape)| *shape);
        own.or_else(|| COMMON.contains(&key).then(|| key.usual_shape()))
    }

    /// Iterates over the keys that an entry of this method may have and a person may write.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'static str> {
        let common = [Key::Return, Key::Diagnostics];
        self.fields().iter().map(|(key, _)| *key).chain(common).map(Key::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_what_it_names() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(*method));
        }
        for key in Key::ALL {
            assert_eq!(Key::from_name(key.name()), Some(*key));
        }
        assert_eq!(Method::from_name("Run"), None);
        assert_eq!(Key::from_name("Sql"), None);
    }

    #[test]
    fn every_key_but_those_that_no_cassette_has_is_a_field_of_some_method() {
        for key in Key::ALL {
            let by_hand = Method::ALL.iter().any(|method| method.takes_by_hand(*key)) || *key == Key::Unordered;
            let written = by_hand || Method::ALL.iter().any(|method| method.shape(*key).is_some());
            assert_ne!(written, matches!(key, Key::Verify | Key::UserHash | Key::Part | Key::OpenRun), "{key}");
        }
    }
}
