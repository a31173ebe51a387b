//! The table of every ODBC function that a driver manager looks up, each declared once.
//!
//! A row gives the function's SQL_API id, its ANSI and (if there is one) Unicode entry point, its class, the handle
//! that it is on, its C arguments after that handle as the ODBC reference gives them, and what the call means. `Ch` is
//! one character: `u8` in the ANSI entry points, `u16` in the Unicode ones. A row that ends in `by hand` concerns
//! handles, connecting or diagnostics; its function is in `entry/special`, and its arguments are complete. Everything
//! else (exports, symbols of the real driver, documentation, tests) is derived from here.

/// How super8 treats a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reaches the database: recorded and verified in order.
    Command,
    /// A question: recorded once, served whenever it is asked.
    Answer,
    /// The application's own side: the shim models it, and it is recorded only where the driver disagrees.
    Local,
    /// Handles and closing.
    Housekeeping,
    /// Reads the diagnostic records of a handle.
    Diagnostic,
}

/// One function of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `SQL_API_...`, the number by which SQLGetFunctions knows the function.
    pub api: u16,
    /// The ANSI (or only) entry point.
    pub name: &'static str,
    /// The Unicode entry point.
    pub wide: Option<&'static str>,
    /// How super8 treats the function.
    pub class: Class,
}

/// Calls `$then!` with all rows of the table.
#[macro_export]
macro_rules! odbc_table {
    ($($then:ident)::+) => { $($then)::+! {
        // Handles.
        1    SQLAllocConnect []       housekeeping (env: Handle, out: *mut Handle) by hand;
        2    SQLAllocEnv []           housekeeping (out: *mut Handle) by hand;
        3    SQLAllocStmt []          housekeeping (dbc: Handle, out: *mut Handle) by hand;
        1001 SQLAllocHandle []        housekeeping (kind: i16, input: Handle, out: *mut Handle) by hand;
        73   SQLAllocHandleStd []     housekeeping (kind: i16, input: Handle, out: *mut Handle) by hand;
        14   SQLFreeConnect []        housekeeping (dbc: Handle) by hand;
        15   SQLFreeEnv []            housekeeping (env: Handle) by hand;
        1006 SQLFreeHandle []         housekeeping (kind: i16, handle: Handle) by hand;
        16   SQLFreeStmt []           housekeeping (stmt: Handle, option: u16) by hand;

        // Connecting.
        7    SQLConnect [SQLConnectW] command (dbc: Handle, dsn: *const Ch, dsn_len: i16, user: *const Ch, user_len: i16, password: *const Ch, password_len: i16) by hand;
        41   SQLDriverConnect [SQLDriverConnectW] command (dbc: Handle, window: Handle, text: *const Ch, text_len: i16, out: *mut Ch, out_cap: i16, out_len: *mut i16, completion: u16) by hand;
        55   SQLBrowseConnect [SQLBrowseConnectW] command (dbc: Handle, text: *const Ch, text_len: i16, out: *mut Ch, out_cap: i16, out_len: *mut i16) by hand;
        9    SQLDisconnect []         housekeeping (dbc: Handle) by hand;
        57   SQLDataSources [SQLDataSourcesW] answer (env: Handle, direction: u16, name: *mut Ch, name_cap: i16, name_len: *mut i16, text: *mut Ch, text_cap: i16, text_len: *mut i16) by hand;
        71   SQLDrivers [SQLDriversW] answer (env: Handle, direction: u16, name: *mut Ch, name_cap: i16, name_len: *mut i16, text: *mut Ch, text_cap: i16, text_len: *mut i16) by hand;
        1019 SQLSetEnvAttr []         local (env: Handle, attribute: i32, value: Pointer, length: i32) by hand;
        1012 SQLGetEnvAttr []         local (env: Handle, attribute: i32, value: Pointer, cap: i32, length: *mut i32) by hand;
        1016 SQLSetConnectAttr [SQLSetConnectAttrW] command (dbc: Handle, attribute: i32, value: Pointer, length: i32) by hand;
        50   SQLSetConnectOption [SQLSetConnectOptionW] command (dbc: Handle, option: u16, value: usize) by hand;
        1007 SQLGetConnectAttr [SQLGetConnectAttrW] answer (dbc: Handle, attribute: i32, value: Pointer, cap: i32, length: *mut i32) by hand;
        42   SQLGetConnectOption [SQLGetConnectOptionW] answer (dbc: Handle, option: u16, value: Pointer) by hand;
        44   SQLGetFunctions []       answer (dbc: Handle, function: u16, supported: *mut u16) by hand;
        1005 SQLEndTran []            command (kind: i16, handle: Handle, completion: i16) by hand;
        23   SQLTransact []           command (env: Handle, dbc: Handle, completion: u16) by hand;
        1022 SQLCancelHandle []       housekeeping (kind: i16, handle: Handle) by hand;

        // Diagnostics.
        10   SQLError [SQLErrorW]     diagnostic (env: Handle, dbc: Handle, stmt: Handle, state: *mut Ch, native: *mut i32, text: *mut Ch, cap: i16, length: *mut i16) by hand;
        1011 SQLGetDiagRec [SQLGetDiagRecW] diagnostic (kind: i16, handle: Handle, record: i16, state: *mut Ch, native: *mut i32, text: *mut Ch, cap: i16, length: *mut i16) by hand;
        1010 SQLGetDiagField [SQLGetDiagFieldW] diagnostic (kind: i16, handle: Handle, record: i16, field: i16, value: Pointer, cap: i16, length: *mut i16) by hand;

        // On a connection.
        45   SQLGetInfo [SQLGetInfoW] answer on dbc (info: u16, value: Pointer, cap: i16, length: *mut i16)
            => ask([int(Key::Info, info)], [shaped("value", shape::info(info), Buffer { pointer: value, capacity: isize::from(cap), length: LengthOut::from(length), wide: WIDE, sizes_numbers: true })]);
        62   SQLNativeSql [SQLNativeSqlW] answer on dbc (text: *const Ch, text_len: i32, out: *mut Ch, cap: i32, length: *mut i32)
            => ask([words(Key::Sql, text, text_len as isize)], [string("value", out, cap as isize, length, Unit::Characters)]);

        // Statements: text to result.
        11   SQLExecDirect [SQLExecDirectW] command on stmt (text: *const Ch, length: i32) => Call::Run { sql: characters(text, length as isize) };
        19   SQLPrepare [SQLPrepareW] command on stmt (text: *const Ch, length: i32) => Call::Prepare { sql: characters(text, length as isize) };
        12   SQLExecute []            command on stmt () => Call::Execute;
        61   SQLMoreResults []        command on stmt () => Call::MoreResults;
        48   SQLParamData []          command on stmt (token: *mut Pointer) => Call::ParamData { token: Place::new(token.cast()) };
        49   SQLPutData []            command on stmt (data: Pointer, length: isize) => Call::PutData { data: Place::new(data), length };
        1003 SQLCloseCursor []        housekeeping on stmt () => Call::CloseCursor;
        5    SQLCancel []             housekeeping on stmt () => Call::Cancel;

        // Catalog functions.
        47   SQLGetTypeInfo [SQLGetTypeInfoW] command on stmt (kind: i16) => catalog([int("type", kind)]);
        54   SQLTables [SQLTablesW]   command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16, d: *const Ch, dl: i16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("table", c, cl as isize), words("table_type", d, dl as isize)]);
        40   SQLColumns [SQLColumnsW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16, d: *const Ch, dl: i16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("table", c, cl as isize), words("column", d, dl as isize)]);
        56   SQLColumnPrivileges [SQLColumnPrivilegesW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16, d: *const Ch, dl: i16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("table", c, cl as isize), words("column", d, dl as isize)]);
        70   SQLTablePrivileges [SQLTablePrivilegesW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("table", c, cl as isize)]);
        52   SQLSpecialColumns [SQLSpecialColumnsW] command on stmt (kind: u16, a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16, scope: u16, nullable: u16)
            => catalog([int("kind", kind), words("catalog", a, al as isize), words("schema", b, bl as isize), words("table", c, cl as isize), int("scope", scope), int("nullable", nullable)]);
        53   SQLStatistics [SQLStatisticsW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16, unique: u16, reserved: u16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("table", c, cl as isize), int("unique", unique), int("reserved", reserved)]);
        65   SQLPrimaryKeys [SQLPrimaryKeysW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("table", c, cl as isize)]);
        60   SQLForeignKeys [SQLForeignKeysW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16, d: *const Ch, dl: i16, e: *const Ch, el: i16, f: *const Ch, fl: i16)
            => catalog([words("pk_catalog", a, al as isize), words("pk_schema", b, bl as isize), words("pk_table", c, cl as isize),
                        words("fk_catalog", d, dl as isize), words("fk_schema", e, el as isize), words("fk_table", f, fl as isize)]);
        67   SQLProcedures [SQLProceduresW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("procedure", c, cl as isize)]);
        66   SQLProcedureColumns [SQLProcedureColumnsW] command on stmt (a: *const Ch, al: i16, b: *const Ch, bl: i16, c: *const Ch, cl: i16, d: *const Ch, dl: i16)
            => catalog([words("catalog", a, al as isize), words("schema", b, bl as isize), words("procedure", c, cl as isize), words("column", d, dl as isize)]);

        // Rows.
        13   SQLFetch []              command on stmt () => Call::Fetch;
        1021 SQLFetchScroll []        command on stmt (orientation: i16, offset: isize) => Call::FetchScroll { orientation, offset };
        59   SQLExtendedFetch []      command (stmt: Handle, orientation: u16, offset: isize, rows: *mut usize, status: *mut u16) by hand;
        43   SQLGetData []            command on stmt (column: u16, c_type: i16, target: Pointer, capacity: isize, length: *mut isize)
            => Call::GetData { column, binding: Binding::new(c_type, Place::new(target), capacity, Place::new(length.cast())) };
        68   SQLSetPos []             command on stmt (row: usize, operation: u16, lock: u16) => Call::SetPos { row, operation, lock };
        24   SQLBulkOperations []     command on stmt (operation: i16) => Call::BulkOperations { operation };

        // Questions about a statement.
        18   SQLNumResultCols []      answer on stmt (count: *mut i16) => ask([], [number("count", count)]);
        8    SQLDescribeCol [SQLDescribeColW] answer on stmt (column: u16, name: *mut Ch, cap: i16, length: *mut i16, kind: *mut i16, size: *mut usize, digits: *mut i16, nullable: *mut i16)
            => ask([int(Key::Column, column)], [string("name", name, cap as isize, length, Unit::Characters), number("type", kind), number("length", size), number("scale", digits), number("nullable", nullable)]);
        6    SQLColAttribute [SQLColAttributeW] answer (stmt: Handle, column: u16, field: u16, text: Pointer, cap: i16, length: *mut i16, value: *mut isize) by hand;
        6    SQLColAttributes [SQLColAttributesW] answer (stmt: Handle, column: u16, field: u16, text: Pointer, cap: i16, length: *mut i16, value: *mut isize) by hand;
        20   SQLRowCount []           answer on stmt (count: *mut isize) => ask([], [number("count", count)]);
        63   SQLNumParams []          answer on stmt (count: *mut i16) => ask([], [number("count", count)]);
        58   SQLDescribeParam []      answer on stmt (parameter: u16, kind: *mut i16, size: *mut usize, digits: *mut i16, nullable: *mut i16)
            => ask([int(Key::Parameter, parameter)], [number("type", kind), number("length", size), number("scale", digits), number("nullable", nullable)]);
        17   SQLGetCursorName [SQLGetCursorNameW] answer on stmt (name: *mut Ch, cap: i16, length: *mut i16) => ask([], [string("name", name, cap as isize, length, Unit::Characters)]);

        // The application's side of a statement.
        4    SQLBindCol []            local on stmt (column: u16, c_type: i16, target: Pointer, capacity: isize, length: *mut isize)
            => Call::BindColumn { column, binding: Binding::new(c_type, Place::new(target), capacity, Place::new(length.cast())) };
        72   SQLBindParameter []      local on stmt (number: u16, io: i16, c_type: i16, sql_type: i16, size: usize, digits: i16, target: Pointer, capacity: isize, length: *mut isize)
            => Call::BindParameter { number, parameter: Parameter { io, sql_type, size, digits }, binding: Binding::new(c_type, Place::new(target), capacity, Place::new(length.cast())) };
        1002 SQLBindParam []          local on stmt (number: u16, c_type: i16, sql_type: i16, size: usize, digits: i16, target: Pointer, length: *mut isize)
            => Call::BindParameter { number, parameter: Parameter { io: 1, sql_type, size, digits }, binding: Binding::new(c_type, Place::new(target), 0, Place::new(length.cast())) };
        22   SQLSetParam []           local on stmt (number: u16, c_type: i16, sql_type: i16, size: usize, digits: i16, target: Pointer, length: *mut isize)
            => Call::BindParameter { number, parameter: Parameter { io: 1, sql_type, size, digits }, binding: Binding::new(c_type, Place::new(target), 0, Place::new(length.cast())) };
        64   SQLParamOptions []       local on stmt (rows: usize, processed: *mut usize) => Call::ParamOptions { rows, processed: Place::new(processed.cast()) };
        69   SQLSetScrollOptions []   local on stmt (concurrency: u16, keyset: isize, rowset: u16) => Call::SetScrollOptions { concurrency, keyset, rowset };
        21   SQLSetCursorName [SQLSetCursorNameW] local on stmt (name: *const Ch, length: i16) => Call::SetCursorName { name: characters(name, length as isize) };
        1020 SQLSetStmtAttr [SQLSetStmtAttrW] local (stmt: Handle, attribute: i32, value: Pointer, length: i32) by hand;
        51   SQLSetStmtOption []      local (stmt: Handle, option: u16, value: usize) by hand;
        1014 SQLGetStmtAttr [SQLGetStmtAttrW] answer (stmt: Handle, attribute: i32, value: Pointer, cap: i32, length: *mut i32) by hand;
        46   SQLGetStmtOption []      answer (stmt: Handle, option: u16, value: Pointer) by hand;

        // Descriptors.
        1017 SQLSetDescField [SQLSetDescFieldW] local on desc (record: i16, field: i16, value: Pointer, length: i32)
            => Call::SetDescField { record, field, value: Buffer { pointer: value, capacity: length as isize, length: LengthOut::None, wide: WIDE, sizes_numbers: false } };
        1018 SQLSetDescRec []         local on desc (record: i16, kind: i16, subtype: i16, size: isize, precision: i16, scale: i16, data: Pointer, length: *mut isize, indicator: *mut isize)
            => Call::SetDescRec { record, kind, subtype, binding: Binding { indicator: Place::new(indicator.cast()), ..Binding::new(kind, Place::new(data), size, Place::new(length.cast())) }, precision, scale };
        1008 SQLGetDescField [SQLGetDescFieldW] answer on desc (record: i16, field: i16, value: Pointer, cap: i32, length: *mut i32)
            => ask([int(Key::Record, record), int(Key::Field, field)], [shaped("value", shape::descriptor(field), Buffer { pointer: value, capacity: cap as isize, length: LengthOut::from(length), wide: WIDE, sizes_numbers: false })]);
        1009 SQLGetDescRec [SQLGetDescRecW] answer on desc (record: i16, name: *mut Ch, cap: i16, length: *mut i16, kind: *mut i16, subtype: *mut i16, size: *mut isize, precision: *mut i16, scale: *mut i16, nullable: *mut i16)
            => ask([int(Key::Record, record)], [string("name", name, cap as isize, length, Unit::Characters), number("type", kind), number("subtype", subtype), number("length", size), number("precision", precision), number("scale", scale), number("nullable", nullable)]);
        1004 SQLCopyDesc []           local (source: Handle, target: Handle) by hand;
    } };
}

macro_rules! functions {
    ($($api:literal $name:ident [$($wide:ident)?] $class:ident $(on $handle:ident)? ($($arg:ident: $ty:ty),*) $(by $hand:ident)? $(=> $meaning:expr)?;)*) => {
        /// A function of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // each variant is the ODBC function of that name
        pub enum Function { $($name,)* }

        impl Function {
            /// Every function, in the table's order.
            pub const ALL: &[Function] = &[$(Function::$name,)*];

            /// Every row, in the table's order.
            pub const ROWS: &[Row] = &[$(Row {
                api: $api,
                name: stringify!($name),
                wide: optional!($($wide)?),
                class: class!($class),
            },)*];

            /// The function's row.
            pub fn row(self) -> &'static Row {
                &Self::ROWS[self as usize]
            }

            /// The function's name: its ANSI (or only) entry point.
            pub fn name(self) -> &'static str {
                self.row().name
            }

            /// Whether it is called while another thread executes on the handle, whose records it has to leave alone
            /// (the reference page of SQLCancel).
            pub fn cancels(self) -> bool {
                matches!(self, Function::SQLCancel | Function::SQLCancelHandle)
            }
        }
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($name:ident) => {
        Some(stringify!($name))
    };
}

macro_rules! class {
    (command) => {
        Class::Command
    };
    (answer) => {
        Class::Answer
    };
    (local) => {
        Class::Local
    };
    (housekeeping) => {
        Class::Housekeeping
    };
    (diagnostic) => {
        Class::Diagnostic
    };
}

odbc_table!(functions);
