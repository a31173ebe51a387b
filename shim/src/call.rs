//! What the application asks for, decoded once and free of ANSI and Unicode, and the driver call that does it for real.

use crate::args::{Binding, Buffer, In, Out, Parameter, Place, Reply, TextIn};
use crate::descriptor::{Content, DescriptorRole, SharedDescriptor};
use crate::diagnostics::Diagnostic;
use crate::table::Function;
use std::sync::Arc;
use super8_cassette::Key;

/// The meaning of one call on a connection, statement or descriptor.
#[allow(missing_docs)] // the fields are the ODBC functions' own arguments
pub enum Call<'a> {
    /// SQLExecDirect.
    Run { sql: TextIn<'a> },
    /// SQLPrepare.
    Prepare { sql: TextIn<'a> },
    /// SQLExecute.
    Execute,
    /// SQLTables and the other catalog functions, SQLGetTypeInfo.
    Catalog { arguments: Vec<(&'static str, In<'a>)> },
    /// SQLMoreResults.
    MoreResults,
    /// SQLFetch.
    Fetch,
    /// SQLFetchScroll.
    FetchScroll { orientation: i16, offset: isize },
    /// SQLExtendedFetch.
    ExtendedFetch { orientation: u16, offset: isize, rows: Place, status: Place },
    /// SQLGetData.
    GetData { column: u16, binding: Binding },
    /// SQLSetPos.
    SetPos { row: usize, operation: u16, lock: u16 },
    /// SQLBulkOperations.
    BulkOperations { operation: i16 },
    /// SQLParamData.
    ParamData { token: Place },
    /// SQLPutData.
    PutData { data: Place, length: isize },
    /// SQLCloseCursor.
    CloseCursor,
    /// SQLFreeStmt, except SQL_DROP.
    FreeStmt { option: u16 },
    /// SQLCancel, SQLCancelHandle.
    Cancel,
    /// SQLBindCol.
    BindColumn { column: u16, binding: Binding },
    /// SQLBindParameter, SQLBindParam, SQLSetParam.
    BindParameter { number: u16, parameter: Parameter, binding: Binding },
    /// SQLParamOptions.
    ParamOptions { rows: usize, processed: Place },
    /// SQLSetScrollOptions.
    SetScrollOptions { concurrency: u16, keyset: isize, rowset: u16 },
    /// SQLSetCursorName.
    SetCursorName { name: TextIn<'a> },
    /// SQLSetStmtAttr, SQLSetStmtOption.
    SetStmtAttr { attribute: i32, value: Place },
    /// SQLSetDescField on an application or implementation descriptor.
    SetDescField { record: i16, field: i16, value: Buffer },
    /// SQLSetDescRec.
    SetDescRec { record: i16, kind: i16, subtype: i16, binding: Binding, precision: i16, scale: i16 },
    /// SQLSetStmtAttr of SQL_ATTR_APP_ROW_DESC or SQL_ATTR_APP_PARAM_DESC; `None` for the statement's own descriptor.
    Attach { role: DescriptorRole, descriptor: Option<Arc<SharedDescriptor>> },
    /// SQLCopyDesc, on the target: the source by its name in the cassette, and what it holds.
    CopyDescriptor { source: i64, content: Content },
    /// SQLFreeHandle of a descriptor that the application allocated.
    FreeDescriptor,
    /// SQLAllocHandle of something on a connection, `SQL_HANDLE_...`.
    Allocate { kind: i16 },
    /// SQLSetConnectAttr, SQLSetConnectOption.
    SetConnectAttr { attribute: i32, value: AttributeIn<'a> },
    /// SQLEndTran, SQLTransact.
    EndTran { commit: bool },
    /// SQLDisconnect.
    Disconnect,
    /// SQLGetFunctions, once the shim has combined the driver's answer with what it exports.
    Functions { function: u16, supported: Place },
    /// A question. Its inputs are the key, its outputs the reply.
    Ask(Question<'a>),
}

/// The calls on a statement's application side, as a pattern. The shim models them, and a recording has them only where
/// the driver disagrees.
macro_rules! local_calls {
    () => {
        $crate::call::Call::BindColumn { .. }
            | $crate::call::Call::BindParameter { .. }
            | $crate::call::Call::ParamOptions { .. }
            | $crate::call::Call::SetScrollOptions { .. }
            | $crate::call::Call::SetCursorName { .. }
            | $crate::call::Call::SetStmtAttr { .. }
            | $crate::call::Call::Attach { .. }
            | $crate::call::Call::FreeStmt { .. }
    };
}
pub(crate) use local_calls;

/// The calls that no statement is ever asked to serve, as a pattern. The entry points give them to connections and
/// descriptors.
macro_rules! not_of_statements {
    () => {
        $crate::call::Call::SetDescField { .. }
            | $crate::call::Call::SetDescRec { .. }
            | $crate::call::Call::CopyDescriptor { .. }
            | $crate::call::Call::FreeDescriptor
            | $crate::call::Call::Allocate { .. }
            | $crate::call::Call::SetConnectAttr { .. }
            | $crate::call::Call::EndTran { .. }
            | $crate::call::Call::Disconnect
            | $crate::call::Call::Functions { .. }
    };
}
pub(crate) use not_of_statements;

/// SQL_CLOSE: SQLFreeStmt with it closes the cursor.
pub(crate) const CLOSE: u16 = odbc_sys::FreeStmtOption::Close as u16;

/// The value of an attribute that is set.
#[derive(Clone, Copy)]
pub enum AttributeIn<'a> {
    /// A number.
    Number(i64),
    /// A text.
    Text(TextIn<'a>),
    /// An address or structure of this process, which is never read and never recorded.
    Address,
}

/// A question, and where its reply goes.
pub struct Question<'a> {
    /// The key.
    pub inputs: Vec<(Key, In<'a>)>,
    /// The reply, in the order of the function's arguments.
    pub outputs: Vec<(&'static str, Out)>,
}

impl Question<'_> {
    /// Returns whether the question asks only for an address of this process. Such an answer is never recorded.
    pub fn is_address(&self) -> bool {
        self.outputs.iter().all(|(_, out)| matches!(out, Out::Address(_)))
    }

    /// Returns where the address goes if the question asks only for one; null for any other question.
    pub fn address(&self) -> Place {
        match self.outputs[..] {
            [(_, Out::Address(place))] => place,
            _ => Place::NULL,
        }
    }

    /// Answers a question for the address in a descriptor field, because a driver's own address there is not the
    /// application's.
    pub fn answer_address(&self, field: impl FnOnce(u16, i16) -> Place) {
        if let [(_, Out::Address(place)), ..] = self.outputs[..] {
            let number = |name| self.int(name).unwrap_or_default();
            place.set_pointer(field(number(Key::Record) as u16, number(Key::Field) as i16));
        }
    }

    /// Returns the text that was given with the question, if there is one.
    pub fn text(&self) -> Option<String> {
        self.inputs.iter().find_map(|(_, input)| match input {
            In::Text(text) => text.read(),
            In::Int(_) => None,
        })
    }

    /// Returns the number that was given under `name`, if there is one.
    pub fn int(&self, name: Key) -> Option<i64> {
        self.inputs.iter().find(|(key, _)| *key == name).and_then(|(_, value)| match value {
            In::Int(number) => Some(*number),
            In::Text(_) => None,
        })
    }
}

/// The same call on the real driver, with the application's own arguments.
pub trait DriverCall {
    /// Makes the call and returns the driver's return code. `None` if the driver has no such function.
    fn invoke(&self) -> Option<i16>;

    /// Returns all of the driver's diagnostic records of the handle.
    fn diagnostics(&self) -> Vec<Diagnostic>;

    /// Returns the SQL type of a result column (SQLDescribeCol), to read a buffer that is bound as SQL_C_DEFAULT.
    fn column_type(&self, column: u16) -> Option<i16>;

    /// Returns how many columns the result has (SQLNumResultCols), so that no buffer is read that is bound beyond them.
    /// `None` if the driver does not say.
    fn column_count(&self) -> Option<u16> {
        None
    }

    /// Returns the names of the result's columns (SQLDescribeCol), for rules that use them.
    fn column_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the address in a field of the descriptor that the call is on (SQLGetDescField), to know whether a buffer
    /// is still bound. `None` if the driver does not say.
    fn field_address(&self, record: i16, field: i16) -> Option<Place> {
        let _ = (record, field);
        None
    }

    /// Asks the same question with room for the whole answer. `text` is what was given with it. `None` if it is not
    /// asked again.
    fn ask_again(&self, function: Function, question: &Question<'_>, text: Option<&str>) -> Option<(i16, Vec<Reply>)> {
        let _ = (function, question, text);
        None
    }

    /// Returns how many bytes the driver writes of the number that is the answer, by asking the same question with
    /// super8's own room. `None` if it is not asked again.
    fn number_width(&self, function: Function, question: &Question<'_>) -> Option<u8> {
        let _ = (function, question);
        None
    }

    /// Binds a result column for super8 (SQLBindCol, or the fields of the descriptor), as it was bound except for its
    /// lengths. Returns false if the driver refuses.
    fn bind_column(&self, column: u16, binding: &Binding) -> bool {
        let _ = (column, binding);
        false
    }

    /// Returns a statement's attribute that is a number (SQLGetStmtAttr). `None` if the driver does not say.
    fn number(&self, attribute: i32) -> Option<usize> {
        let _ = attribute;
        None
    }

    /// The name of the driver's library, for what is known of a driver and cannot be seen. Empty where there is none.
    fn library(&self) -> String {
        String::new()
    }

    /// Says whether the driver writes zeros to the buffer of a NULL of this C type, by reading the NULL cell once more into a
    /// buffer of super8's. Returns `None` if the driver does not let a cell be read again.
    fn zeroes_null(&self, column: u16, c_type: i16, size: usize) -> Option<bool> {
        let _ = (column, c_type, size);
        None
    }

    /// Returns the row counter that super8 lends the driver if the application has none, to know how much of a rowset
    /// to read. `set` says that SQL_ATTR_ROWS_FETCHED_PTR does not point to it yet. `None` if the driver does not take
    /// it.
    fn lend_row_counter(&self, set: bool) -> Option<Place>;
}
