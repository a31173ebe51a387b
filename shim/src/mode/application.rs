//! The application's side of a statement: bound columns and parameters, row and parameter arrays, attributes.
//!
//! Kept the same way while recording (to read what the driver wrote) and replaying (to write it again). The four
//! descriptors and the statement attributes that reach into them are one model here; ODBC's reference pages of
//! SQLSetStmtAttr, SQLBindCol, SQLBindParameter and SQLSetDescField say which is which.

use crate::args::{Binding, Parameter, Place};
use crate::call::Call;
use std::collections::BTreeMap;

/// Statement attributes by their ODBC names.
#[allow(missing_docs)]
pub mod attribute {
    use odbc_sys::StatementAttribute as A;
    pub const ROW_BIND_TYPE: i32 = A::RowBindType as i32;
    /// SQL_ROWSET_SIZE: SQLExtendedFetch's row count, distinct from SQL_ATTR_ROW_ARRAY_SIZE.
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
    /// What it is for the database.
    pub parameter: Parameter,
}

/// The application's side of one statement.
#[derive(Debug, Default)]
pub struct Application {
    /// Bound columns by number; 0 is the bookmark column.
    pub(super) columns: Vec<Option<Binding>>,
    /// Bound parameters by number, from 1 at index 0.
    pub(super) parameters: Vec<Option<BoundParameter>>,
    /// Every statement attribute that was set, as SQLSetStmtAttr passed it.
    attributes: BTreeMap<i32, Place>,
    /// Rows of a rowset (SQL_ATTR_ROW_ARRAY_SIZE); 0 stands for the default, 1.
    row_array_size: usize,
    /// Sets of parameters (SQL_ATTR_PARAMSET_SIZE); 0 stands for the default, 1.
    paramset_size: usize,
    /// SQL_ATTR_USE_BOOKMARKS, as `attributes` has it too.
    use_bookmarks: usize,
    /// Bytes of the bookmark that was given out last; 0 for none.
    bookmark_size: usize,
    /// How rows and sets of parameters lie in memory, as `attributes` says too: asked for every cell.
    rows: Layout,
    sets: Layout,
    /// SQLGetData's SQL_ARD_TYPE needs the type of a column set without an address.
    pub(super) types: BTreeMap<u16, i16>,
}

impl Application {
    /// Takes in a call that changes the application's side; other calls change nothing.
    pub fn apply(&mut self, call: &Call<'_>) {
        match call {
            Call::BindColumn { column, binding } => {
                // A null buffer unbinds (SQLBindCol), even where an indicator is given: then only that is filled.
                let keep = !binding.target.is_null() || !binding.length.is_null();
                self.set_column(*column, keep.then_some(*binding));
            }
            Call::BindParameter { number, parameter, binding } => {
                self.set_parameter(*number, Some(BoundParameter { binding: *binding, parameter: *parameter }));
            }
            Call::SetStmtAttr { attribute, value } => self.set(*attribute, *value),
            Call::ParamOptions { rows, processed } => {
                self.paramset_size = *rows;
                self.attributes.insert(attribute::PARAMS_PROCESSED_PTR, *processed);
            }
            Call::SetScrollOptions { rowset, .. } => {
                self.attributes.insert(attribute::ROWSET_SIZE, Place::of_word(usize::from(*rowset)));
            }
            Call::FreeStmt { option } => match *option {
                option if option == odbc_sys::FreeStmtOption::Unbind as u16 => self.columns.clear(),
                option if option == odbc_sys::FreeStmtOption::ResetParams as u16 => self.parameters.clear(),
                _ => {}
            },
            _ => {}
        }
    }

    pub(super) fn set(&mut self, attribute: i32, value: Place) {
        match attribute {
            attribute::ROW_ARRAY_SIZE => self.row_array_size = value.address() as usize,
            attribute::USE_BOOKMARKS => self.use_bookmarks = value.address() as usize,
            attribute::PARAMSET_SIZE => self.paramset_size = value.address() as usize,
            attribute::ROW_BIND_TYPE => self.rows.bind_type = value.address() as usize,
            attribute::ROW_BIND_OFFSET_PTR => self.rows.offset = Some(value),
            attribute::PARAM_BIND_TYPE => self.sets.bind_type = value.address() as usize,
            attribute::PARAM_BIND_OFFSET_PTR => self.sets.offset = Some(value),
            _ => {}
        }
        self.attributes.insert(attribute, value);
    }

    pub(super) fn set_column(&mut self, column: u16, binding: Option<Binding>) {
        let index = usize::from(column);
        if binding.is_some() && self.columns.len() <= index {
            self.columns.resize(index + 1, None);
        }
        if let Some(slot) = self.columns.get_mut(index) {
            *slot = binding;
        }
    }

    pub(super) fn set_parameter(&mut self, number: u16, bound: Option<BoundParameter>) {
        let Some(index) = usize::from(number).checked_sub(1) else { return };
        if self.parameters.len() <= index {
            self.parameters.resize(index + 1, None);
        }
        self.parameters[index] = bound;
    }

    pub(super) const UNBOUND: Binding = Binding {
        c_type: odbc_sys::CDataType::Default as i16,
        target: Place::NULL,
        capacity: 0,
        length: Place::NULL,
        indicator: Place::NULL,
    };

    /// The bound column of this number.
    pub fn column(&self, column: u16) -> Option<Binding> {
        self.columns.get(usize::from(column)).copied().flatten()
    }

    /// Every bound column with a buffer or an indicator, by number. A column of which only the type was set, for
    /// SQLGetData with SQL_ARD_TYPE, is not bound.
    pub fn bound_columns(&self) -> impl Iterator<Item = (u16, Binding)> + '_ {
        let bound = |binding: &Binding| {
            ![binding.target, binding.length, binding.indicator].iter().all(|place| place.is_null())
        };
        let columns = self.columns.iter().enumerate();
        columns.filter_map(move |(number, binding)| binding.filter(bound).map(|binding| (number as u16, binding)))
    }

    /// The bound parameter of this number, from 1.
    pub fn parameter(&self, number: u16) -> Option<BoundParameter> {
        self.parameters.get(usize::from(number).wrapping_sub(1)).copied().flatten()
    }

    /// How many parameters are bound: the highest number.
    pub fn parameter_count(&self) -> u16 {
        self.parameters.iter().rposition(Option::is_some).map_or(0, |index| index as u16 + 1)
    }

    /// An attribute as it was set.
    pub fn attribute(&self, attribute: i32) -> Option<Place> {
        self.attributes.get(&attribute).copied()
    }

    /// An attribute that is an address; null where it was never set.
    pub fn address(&self, attribute: i32) -> Place {
        self.attribute(attribute).unwrap_or(Place::NULL)
    }

    /// An attribute that is a number.
    pub fn number(&self, attribute: i32) -> Option<usize> {
        self.attribute(attribute).map(|value| value.address() as usize)
    }

    /// Rows a call of SQLFetch or SQLFetchScroll fills; at least 1.
    pub fn row_array_size(&self) -> usize {
        self.row_array_size.max(1)
    }

    /// Rows a call of SQLExtendedFetch fills; at least 1.
    pub fn rowset_size(&self) -> usize {
        self.number(attribute::ROWSET_SIZE).unwrap_or(1).max(1)
    }

    /// SQL_ATTR_USE_BOOKMARKS: 0 for off.
    pub fn use_bookmarks(&self) -> usize {
        self.use_bookmarks
    }

    /// The column that rows begin with: 0 with bookmarks, else 1.
    pub fn first_column(&self) -> usize {
        usize::from(self.use_bookmarks == 0)
    }

    /// Takes note of the size of a bookmark that was given out.
    pub fn gave_bookmark(&mut self, size: Option<usize>) {
        self.bookmark_size = size.unwrap_or(self.bookmark_size);
    }

    /// Bytes of a bookmark; those of a 32-bit number before one was given out.
    pub fn bookmark_size(&self) -> usize {
        if self.bookmark_size == 0 { 4 } else { self.bookmark_size }
    }

    /// Sets of parameters an execution sends; at least 1.
    pub fn paramset_size(&self) -> usize {
        self.paramset_size.max(1)
    }

    /// The column's buffers for row `row` of a rowset: offset and row- or column-wise step applied.
    /// `element` is the fixed size of the C type, or `None` for character and binary data.
    pub fn at_row(&self, binding: Binding, row: usize, element: Option<usize>) -> Binding {
        self.rows.at(binding, row, element)
    }

    /// The parameter's buffers for set `set`.
    pub fn at_set(&self, binding: Binding, set: usize, element: Option<usize>) -> Binding {
        self.sets.at(binding, set, element)
    }

    /// The statement attributes that change results and differ from their defaults, by their cassette names.
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

/// Where the buffers of the rows of a rowset, or of the sets of an array of parameters, lie.
#[derive(Clone, Copy, Debug, Default)]
struct Layout {
    /// 0 for columns (SQL_BIND_BY_COLUMN), else the bytes of a row.
    bind_type: usize,
    /// Where the offset is that is added to every address.
    offset: Option<Place>,
}

impl Layout {
    fn at(&self, binding: Binding, row: usize, element: Option<usize>) -> Binding {
        let offset = self.offset.and_then(|offset| offset.len_at(0)).unwrap_or(0);
        let row = row as isize;
        let (data, lengths) = match self.bind_type {
            0 => (element.map_or(binding.capacity, |size| size as isize), size_of::<isize>() as isize),
            size => (size as isize, size as isize),
        };
        Binding {
            target: binding.target.offset(offset + row * data),
            length: binding.length.offset(offset + row * lengths),
            indicator: binding.indicator.offset(offset + row * lengths),
            ..binding
        }
    }
}
