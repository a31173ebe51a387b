//! The application's side of a statement: bound columns and parameters, row and parameter arrays, attributes.
//!
//! It is kept the same way while recording, to read what the driver wrote, and at replay, to write it again. The four
//! descriptors and the statement attributes that reach into them are one model here. The ODBC reference pages of
//! SQLSetStmtAttr, SQLBindCol, SQLBindParameter and SQLSetDescField say which attribute is which field.

use crate::args::{Binding, Out, Parameter, Place};
use crate::call::{Call, Question};
use crate::descriptor::{DescriptorRole, PlaceOfRow, UsedDescriptor};
use crate::table::Function;
use std::collections::BTreeMap;
use super8_cassette::{Key, Value};

/// Statement attributes by their ODBC names.
#[allow(missing_docs)]
pub mod attribute {
    use odbc_sys::StatementAttribute as A;
    pub const ROW_BIND_TYPE: i32 = A::RowBindType as i32;
    /// SQL_ROWSET_SIZE: how many rows SQLExtendedFetch fetches. It is distinct from SQL_ATTR_ROW_ARRAY_SIZE.
    pub const ROWSET_SIZE: i32 = 9;
    /// SQL_ATTR_FETCH_BOOKMARK_PTR.
    pub const FETCH_BOOKMARK_PTR: i32 = 16;
    pub const USE_BOOKMARKS: i32 = A::UseBookmarks as i32;
    pub const PARAM_BIND_OFFSET_PTR: i32 = A::ParamBindOffsetPtr as i32;
    pub const PARAM_BIND_TYPE: i32 = A::ParamBindType as i32;
    pub const PARAM_OPERATION_PTR: i32 = A::ParamOpterationPtr as i32;
    pub const PARAM_STATUS_PTR: i32 = A::ParamStatusPtr as i32;
    pub const PARAMS_PROCESSED_PTR: i32 = A::ParamsProcessedPtr as i32;
    pub const PARAMSET_SIZE: i32 = A::ParamsetSize as i32;
    pub const ROW_BIND_OFFSET_PTR: i32 = A::RowBindOffsetPtr as i32;
    pub const ROW_OPERATION_PTR: i32 = A::RowOperationPtr as i32;
    pub const ROW_STATUS_PTR: i32 = A::RowStatusPtr as i32;
    pub const ROWS_FETCHED_PTR: i32 = A::RowsFetchedPtr as i32;
    pub const ROW_ARRAY_SIZE: i32 = A::RowArraySize as i32;
    pub const ASYNC_ENABLE: i32 = A::AsyncEnable as i32;
}

/// A bound parameter: its C side and its SQL side.
#[derive(Clone, Copy, Debug)]
pub struct BoundParameter {
    /// The application's buffer.
    pub binding: Binding,
    /// What the parameter is for the database.
    pub parameter: Parameter,
}

/// The application's side of one statement.
#[derive(Debug, Default)]
pub struct Application {
    /// The application row descriptor: bound columns.
    pub(super) columns: UsedDescriptor,
    /// The application parameter descriptor: bound parameters.
    pub(super) parameters: UsedDescriptor,
    /// The implementation parameter descriptor: what each parameter is for the database. Parameter 1 is at index 0.
    pub(super) markers: Vec<Option<Parameter>>,
    /// Every other statement attribute that was set, as SQLSetStmtAttr passed it.
    attributes: BTreeMap<i32, Place>,
    /// SQL_ATTR_USE_BOOKMARKS, as `attributes` has it too.
    use_bookmarks: usize,
    /// The size in bytes of the bookmark that was given out last; 0 if none was.
    bookmark_size: usize,
    /// How many columns the current result has, if that is known.
    result_columns: Option<u16>,
    /// The name that SQLSetCursorName gave.
    cursor_name: Option<String>,
    /// Whether the driver has one setting for SQL_ROWSET_SIZE and SQL_ATTR_ROW_ARRAY_SIZE.
    shares_size: bool,
    /// Whether SQL_ROWSET_SIZE was set last of the two.
    rowset_size_is_last: bool,
}

impl Application {
    /// Takes in what happened to attached descriptors since the last call. Every call does this first.
    #[inline]
    pub fn refresh(&mut self) {
        self.columns.refresh();
        self.parameters.refresh();
    }

    /// Applies a call that changes the application's side. Other calls change nothing.
    pub fn apply(&mut self, call: &Call<'_>) {
        match call {
            Call::BindColumn { column, binding } => {
                // A null buffer unbinds the column (SQLBindCol). With an indicator, only that is filled from then on.
                let keep = !binding.target.is_null() || !binding.length.is_null();
                self.columns.edit(|columns| columns.bind(*column, keep.then_some(*binding)));
            }
            Call::BindParameter { number, parameter, binding } => {
                self.parameters.edit(|parameters| parameters.set_record(*number, Some(*binding)));
                self.set_marker(*number, *parameter);
            }
            Call::SetStmtAttr { attribute, value } => self.set(*attribute, *value),
            Call::SetCursorName { name } => self.cursor_name = name.read(),
            Call::Attach { role, descriptor } => match role {
                DescriptorRole::ApplicationRow => self.columns.attach(descriptor.clone()),
                _ => self.parameters.attach(descriptor.clone()),
            },
            Call::ParamOptions { rows, processed } => {
                self.set(attribute::PARAMSET_SIZE, Place::of_word(*rows));
                self.set(attribute::PARAMS_PROCESSED_PTR, *processed);
            }
            Call::SetScrollOptions { rowset, .. } => {
                self.set(attribute::ROWSET_SIZE, Place::of_word(usize::from(*rowset)));
            }
            Call::FreeStmt { option } => match *option {
                option if option == odbc_sys::FreeStmtOption::Unbind as u16 => self.columns.edit(|all| all.clear()),
                option if option == odbc_sys::FreeStmtOption::ResetParams as u16 => {
                    self.parameters.edit(|all| all.clear());
                }
                _ => {}
            },
            _ => {}
        }
    }

    pub(super) fn set(&mut self, attribute: i32, value: Place) {
        let number = Some(value.address() as usize);
        match attribute {
            attribute::ROW_ARRAY_SIZE => {
                self.rowset_size_is_last = false;
                self.columns.edit(|rows| rows.array_size = number);
            }
            attribute::ROWSET_SIZE if self.shares_size => self.columns.edit(|rows| rows.array_size = number),
            attribute::ROWSET_SIZE => {
                self.rowset_size_is_last = true;
                self.attributes.insert(attribute, value);
            }
            attribute::ROW_BIND_TYPE => self.columns.edit(|rows| rows.bind_type = number),
            attribute::ROW_BIND_OFFSET_PTR => self.columns.edit(|rows| rows.bind_offset = Some(value)),
            attribute::ROW_OPERATION_PTR => self.columns.edit(|rows| rows.operation = Some(value)),
            attribute::PARAMSET_SIZE => self.parameters.edit(|sets| sets.array_size = number),
            attribute::PARAM_BIND_TYPE => self.parameters.edit(|sets| sets.bind_type = number),
            attribute::PARAM_BIND_OFFSET_PTR => self.parameters.edit(|sets| sets.bind_offset = Some(value)),
            attribute::PARAM_OPERATION_PTR => self.parameters.edit(|sets| sets.operation = Some(value)),
            attribute::USE_BOOKMARKS => {
                self.use_bookmarks = value.address() as usize;
                self.attributes.insert(attribute, value);
            }
            _ => drop(self.attributes.insert(attribute, value)),
        }
    }

    pub(super) fn set_marker(&mut self, number: u16, parameter: Parameter) {
        let Some(index) = usize::from(number).checked_sub(1) else { return };
        if self.markers.len() <= index {
            self.markers.resize(index + 1, None);
        }
        self.markers[index] = Some(parameter);
    }

    /// Returns what a parameter is for the database: an input parameter unless the application said something else.
    pub(super) fn marker(&self, number: u16) -> Parameter {
        self.known_marker(number).unwrap_or(Parameter { io: 1, sql_type: 0, size: 0, digits: 0 })
    }

    /// Returns what a parameter is for the database, if the application said anything.
    pub(super) fn known_marker(&self, number: u16) -> Option<Parameter> {
        self.markers.get(usize::from(number).wrapping_sub(1)).copied().flatten()
    }

    /// Returns the bound column of this number.
    pub fn column(&self, column: u16) -> Option<Binding> {
        self.columns.record(column)
    }

    /// Returns every bound column that has a buffer or an indicator, by number. A column of which only the type was
    /// set, for SQLGetData with SQL_ARD_TYPE, is not bound.
    pub fn bound_columns(&self) -> impl Iterator<Item = (u16, &Binding)> + '_ {
        let all = self.columns.records();
        let count = self.result_columns.map_or(all.len(), |count| all.len().min(usize::from(count) + 1));
        all[..count].iter().enumerate().filter_map(|(number, binding)| {
            binding.as_ref().filter(|binding| !binding.is_empty()).map(|binding| (number as u16, binding))
        })
    }

    /// Returns the highest number of a bound column, whether or not the result has it; 0 if there is none.
    pub fn highest_column(&self) -> usize {
        let bound = |binding: &Option<Binding>| binding.is_some_and(|binding| !binding.is_empty());
        self.columns.records().iter().rposition(bound).unwrap_or_default()
    }

    /// Sets how many columns the current result has, if that is known. Columns that are bound beyond it are ignored.
    pub fn limit_columns(&mut self, count: Option<u16>) {
        self.result_columns = count;
    }

    /// Returns the bound parameter of this number, from 1.
    pub fn parameter(&self, number: u16) -> Option<BoundParameter> {
        let binding = self.parameters.record(number)?;
        Some(BoundParameter { binding, parameter: self.marker(number) })
    }

    /// Returns the highest number of a bound parameter.
    pub fn parameter_count(&self) -> u16 {
        self.parameters.count()
    }

    /// Returns an attribute as it was set.
    pub fn attribute(&self, attribute: i32) -> Option<Place> {
        let number = |number: Option<usize>| number.map(Place::of_word);
        match attribute {
            attribute::ROW_ARRAY_SIZE => number(self.columns.array_size),
            attribute::ROWSET_SIZE if self.shares_size => number(self.columns.array_size),
            attribute::ROW_BIND_TYPE => number(self.columns.bind_type),
            attribute::ROW_BIND_OFFSET_PTR => self.columns.bind_offset,
            attribute::ROW_OPERATION_PTR => self.columns.operation,
            attribute::PARAMSET_SIZE => number(self.parameters.array_size),
            attribute::PARAM_BIND_TYPE => number(self.parameters.bind_type),
            attribute::PARAM_BIND_OFFSET_PTR => self.parameters.bind_offset,
            attribute::PARAM_OPERATION_PTR => self.parameters.operation,
            _ => self.attributes.get(&attribute).copied(),
        }
    }

    /// Returns an attribute that is an address; null if it was never set.
    pub fn address(&self, attribute: i32) -> Place {
        self.attribute(attribute).unwrap_or(Place::NULL)
    }

    /// Answers a question for an attribute that is an address.
    pub fn answer_address(&self, question: &Question<'_>) {
        if let (&[(_, Out::Address(place))], Some(attribute)) = (&question.outputs[..], question.int(Key::Attribute)) {
            place.set_pointer(self.address(attribute as i32));
        }
    }

    /// Returns an attribute that is a number.
    pub fn number(&self, attribute: i32) -> Option<usize> {
        self.attribute(attribute).map(|value| value.address() as usize)
    }

    /// Returns the cursor's name, if the application gave it one.
    pub fn cursor_name(&self) -> Option<&str> {
        self.cursor_name.as_deref()
    }

    /// Returns how many rows SQLFetch and SQLFetchScroll fill; at least 1.
    pub fn row_array_size(&self) -> usize {
        self.columns.size()
    }

    /// Returns how many rows SQLExtendedFetch fills; at least 1.
    pub fn rowset_size(&self) -> usize {
        self.number(attribute::ROWSET_SIZE).unwrap_or(1).max(1)
    }

    /// Says whether SQL_ROWSET_SIZE and SQL_ATTR_ROW_ARRAY_SIZE are set to different numbers.
    pub fn sizes_differ(&self) -> bool {
        self.rowset_size() != self.row_array_size()
    }

    /// Makes one setting of the two, with the number that was set last.
    pub fn share_size(&mut self) {
        if self.rowset_size_is_last {
            let size = self.rowset_size();
            self.columns.edit(|rows| rows.array_size = Some(size));
        }
        self.shares_size = true;
    }

    /// Returns SQL_ATTR_USE_BOOKMARKS; 0 for off.
    pub fn use_bookmarks(&self) -> usize {
        self.use_bookmarks
    }

    /// Returns the column that rows begin with: 0 with bookmarks, else 1.
    pub fn first_column(&self) -> usize {
        usize::from(self.use_bookmarks == 0)
    }

    /// Notes the size of a bookmark that was given out.
    pub fn gave_bookmark(&mut self, size: Option<usize>) {
        self.bookmark_size = size.unwrap_or(self.bookmark_size);
    }

    /// Returns the size of a bookmark in bytes; before one was given out, that of a 32-bit number.
    pub fn bookmark_size(&self) -> usize {
        if self.bookmark_size == 0 { 4 } else { self.bookmark_size }
    }

    /// Returns how many sets of parameters an execution sends; at least 1.
    pub fn paramset_size(&self) -> usize {
        self.parameters.size()
    }

    /// Returns where the columns' buffers for row `row` of a rowset are. Reads the offset that the application may have
    /// bound.
    #[inline]
    pub fn place_of_row(&self, row: usize) -> PlaceOfRow {
        self.columns.row(row)
    }

    /// Returns the column's buffers for row `row` of a rowset, with the bind offset and the row- or column-wise step
    /// applied. `element` is the fixed size of the C type, or `None` for character and binary data.
    pub fn at_row(&self, binding: Binding, row: usize, element: Option<usize>) -> Binding {
        self.columns.at(binding, row, element)
    }

    /// Returns the parameter's buffers for set `set`.
    pub fn at_set(&self, binding: Binding, set: usize, element: Option<usize>) -> Binding {
        self.parameters.at(binding, set, element)
    }

    /// Returns the statement attributes that change results and differ from their defaults, by their cassette names.
    pub fn result_attributes(&self) -> Vec<(&'static str, i64)> {
        const CHANGING: &[(i32, &str, i64)] = &[
            (-2, "cursor_sensitivity", 0),
            (-1, "cursor_scrollable", 0),
            (0, "query_timeout", 0),
            (1, "max_rows", 0),
            (2, "noscan", 0),
            (3, "max_length", 0),
            (6, "cursor_type", 0),
            (7, "concurrency", 1),
            (8, "keyset_size", 0),
            (11, "retrieve_data", 1),
            (12, "use_bookmarks", 0),
            (10014, "metadata_id", 0),
        ];
        let given = |(id, name, default): &(i32, &'static str, i64)| {
            let value = self.number(*id)? as i64;
            (value != *default).then_some((*name, value))
        };
        CHANGING.iter().filter_map(given).collect()
    }
}

/// Returns the value that the application itself set, if the question asks for one.
pub fn set_value(application: &mut Application, function: Function, question: &Question<'_>) -> Option<Value> {
    match function {
        Function::SQLGetStmtAttr | Function::SQLGetStmtOption => {
            application.refresh();
            let attribute = question.int(Key::Attribute)?;
            application.number(attribute as i32).map(|number| Value::from(number as i64))
        }
        Function::SQLGetCursorName => application.cursor_name().map(Value::from),
        _ => None,
    }
}
