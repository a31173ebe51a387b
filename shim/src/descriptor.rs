//! What an application descriptor holds: buffers by number, and how the rows of a rowset or the sets of a parameter
//! array are laid out in memory.
//!
//! A statement has one for its columns and one for its parameters. An application may allocate more, and attach each of
//! them to any number of statements. ODBC reference: "Descriptors", SQLSetDescField, SQLSetStmtAttr
//! (SQL_ATTR_APP_ROW_DESC).

use crate::args::{Binding, Parameter, Place};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One of a statement's four descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptorRole {
    /// Application row descriptor: bound columns.
    ApplicationRow,
    /// Application parameter descriptor: bound parameters.
    ApplicationParameter,
    /// Implementation row descriptor: the result's columns.
    ImplementationRow,
    /// Implementation parameter descriptor: the parameters' SQL types.
    ImplementationParameter,
}

impl DescriptorRole {
    /// Returns the role that a statement attribute names (SQL_ATTR_APP_ROW_DESC and its siblings).
    pub fn of_attribute(attribute: i32) -> Option<Self> {
        match attribute {
            10010 => Some(DescriptorRole::ApplicationRow),
            10011 => Some(DescriptorRole::ApplicationParameter),
            10012 => Some(DescriptorRole::ImplementationRow),
            10013 => Some(DescriptorRole::ImplementationParameter),
            _ => None,
        }
    }

    /// Returns the statement attribute of the role.
    pub fn attribute(self) -> i32 {
        10010 + self as i32
    }
}

/// The content of an application row or parameter descriptor.
#[derive(Clone, Debug, Default)]
pub struct ApplicationDescriptor {
    /// The records by number: columns from 0 (the bookmark), parameters from 1.
    records: Vec<Option<Binding>>,
    /// SQL_DESC_ARRAY_SIZE, if it was set.
    pub array_size: Option<usize>,
    /// SQL_DESC_BIND_TYPE, if it was set: 0 for column-wise binding, else the size of a row in bytes.
    pub bind_type: Option<usize>,
    /// SQL_DESC_BIND_OFFSET_PTR, if it was set.
    pub bind_offset: Option<Place>,
    /// SQL_DESC_ARRAY_STATUS_PTR, if it was set: which rows or sets an operation leaves out.
    pub operation: Option<Place>,
    /// The statement that lends the driver length variables; `lent` has the columns.
    lender: u64,
    lent: Vec<u16>,
}

impl ApplicationDescriptor {
    /// Returns the record of this number.
    pub fn record(&self, number: u16) -> Option<Binding> {
        self.records.get(usize::from(number)).copied().flatten()
    }

    /// Returns who lends the driver super8's length variables, and for which columns. The application's own variables
    /// are in the records.
    pub fn lent(&self) -> (u64, &[u16]) {
        (self.lender, &self.lent)
    }

    /// Notes that the driver has length variables of this lender's for these columns.
    pub fn set_lent(&mut self, lender: u64, columns: Vec<u16>) {
        (self.lender, self.lent) = (lender, columns);
    }

    /// Binds a column as the application does, so that the driver has the application's variables.
    pub fn bind(&mut self, number: u16, record: Option<Binding>) {
        self.lent.retain(|lent| *lent != number);
        self.set_record(number, record);
    }

    /// Returns all records, from number 0.
    pub fn records(&self) -> &[Option<Binding>] {
        &self.records
    }

    /// Returns the highest number with a record; 0 if there is none.
    pub fn count(&self) -> u16 {
        self.records.iter().rposition(Option::is_some).map_or(0, |index| index as u16)
    }

    /// Sets a record, or removes it.
    pub fn set_record(&mut self, number: u16, record: Option<Binding>) {
        let index = usize::from(number);
        if record.is_some() && self.records.len() <= index {
            self.records.resize(index + 1, None);
        }
        if let Some(slot) = self.records.get_mut(index) {
            *slot = record;
        }
    }

    /// Sets SQL_DESC_COUNT: removes the records beyond it.
    pub fn truncate(&mut self, count: usize) {
        self.records.truncate(count.saturating_add(1));
    }

    /// Removes every record, including the bookmark's (SQLFreeStmt).
    pub fn clear(&mut self) {
        self.records.clear();
    }

    /// Returns how many rows a rowset has, or how many sets of parameters there are; at least 1.
    pub fn size(&self) -> usize {
        self.array_size.unwrap_or(1).max(1)
    }

    /// Returns the bind offset as it is now, and the bind type.
    pub fn layout(&self) -> (isize, usize) {
        (self.bind_offset.and_then(|offset| offset.len_at(0)).unwrap_or(0), self.bind_type.unwrap_or(0))
    }

    /// Returns a record's buffers for row or set `row`, with the bind offset and the row- or column-wise step applied.
    /// `element` is the fixed size of the C type, or `None` for character and binary data.
    pub fn at(&self, binding: Binding, row: usize, element: Option<usize>) -> Binding {
        self.row(row).of(binding, element)
    }

    /// Returns where the buffers of a row or set are, counted from 0.
    #[inline]
    pub fn row(&self, row: usize) -> PlaceOfRow {
        let (offset, bind_type) = self.layout();
        PlaceOfRow { offset, bind_type, row: row as isize }
    }
}

/// Where the buffers of one row of a rowset, or of one set of parameters, are.
#[derive(Clone, Copy, Debug)]
pub struct PlaceOfRow {
    offset: isize,
    bind_type: usize,
    row: isize,
}

impl PlaceOfRow {
    /// Returns whether the buffers are those that were bound.
    #[inline]
    pub fn is_as_bound(&self) -> bool {
        self.offset == 0 && self.row == 0
    }

    /// Returns the buffers of a record, as [`ApplicationDescriptor::at`] says.
    #[inline]
    pub fn of(self, binding: Binding, element: Option<usize>) -> Binding {
        let (data, lengths) = match self.bind_type {
            0 => (element.map_or(binding.capacity, |size| size as isize), size_of::<isize>() as isize),
            size => (size as isize, size as isize),
        };
        let (data, lengths) = (self.offset + self.row * data, self.offset + self.row * lengths);
        Binding {
            target: binding.target.offset(data),
            length: binding.length.offset(lengths),
            indicator: binding.indicator.offset(lengths),
            ..binding
        }
    }
}

/// A descriptor that the application allocated, shared by the statements that it is attached to.
#[derive(Debug)]
pub struct SharedDescriptor {
    /// The number among the connection's descriptors, from 1.
    pub number: u32,
    /// Counts changes; [`SharedDescriptor::FREED`] once it is freed.
    version: AtomicU64,
    content: Mutex<ApplicationDescriptor>,
}

impl SharedDescriptor {
    const FREED: u64 = u64::MAX;

    /// Returns the connection's descriptor of this number, empty.
    pub fn new(number: u32) -> Arc<Self> {
        Arc::new(SharedDescriptor { number, version: AtomicU64::new(0), content: Mutex::default() })
    }

    /// Returns what the descriptor holds now.
    pub fn content(&self) -> ApplicationDescriptor {
        self.content.lock().clone()
    }

    /// Changes the descriptor. Returns the new version, and what it then holds.
    pub fn edit(&self, change: impl FnOnce(&mut ApplicationDescriptor)) -> (u64, ApplicationDescriptor) {
        let mut content = self.content.lock();
        change(&mut content);
        (self.version.fetch_add(1, Ordering::AcqRel) + 1, content.clone())
    }

    /// Marks the handle as freed: every statement that it was attached to goes back to its own descriptor.
    pub fn free(&self) {
        let _content = self.content.lock();
        self.version.store(Self::FREED, Ordering::Release);
    }
}

/// An application descriptor as a statement uses it: its own, or the one that is attached instead.
#[derive(Debug, Default)]
pub struct UsedDescriptor {
    current: ApplicationDescriptor,
    /// Counts what may have changed it.
    changes: u64,
    attached: Option<Box<Attached>>,
}

#[derive(Debug)]
struct Attached {
    shared: Arc<SharedDescriptor>,
    seen: u64,
    own: ApplicationDescriptor,
}

impl std::ops::Deref for UsedDescriptor {
    type Target = ApplicationDescriptor;

    fn deref(&self) -> &ApplicationDescriptor {
        &self.current
    }
}

impl UsedDescriptor {
    /// Takes in what happened to an attached descriptor since the last call: changes through another statement, or its
    /// end.
    #[inline]
    pub fn refresh(&mut self) {
        if self.attached.is_some() {
            self.look();
        }
    }

    #[cold]
    fn look(&mut self) {
        let Some(attached) = &mut self.attached else { return };
        match attached.shared.version.load(Ordering::Acquire) {
            SharedDescriptor::FREED => self.attach(None),
            version if version != attached.seen => {
                (attached.seen, self.current) = (version, attached.shared.content());
                self.changes += 1;
            }
            _ => {}
        }
    }

    /// Changes the descriptor in use.
    pub fn edit(&mut self, change: impl FnOnce(&mut ApplicationDescriptor)) {
        self.refresh();
        self.changes += 1;
        match &mut self.attached {
            Some(attached) => (attached.seen, self.current) = attached.shared.edit(change),
            None => change(&mut self.current),
        }
    }

    /// Uses another descriptor from now on; with `None`, the statement's own.
    pub fn attach(&mut self, shared: Option<Arc<SharedDescriptor>>) {
        self.changes += 1;
        if let Some(before) = self.attached.take() {
            self.current = before.own;
        }
        if let Some(shared) = shared {
            let (seen, content) = shared.edit(|_| {});
            let own = std::mem::replace(&mut self.current, content);
            self.attached = Some(Box::new(Attached { shared, seen, own }));
        }
    }

    /// Returns how often the descriptor may have changed so far.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Returns the number of the attached descriptor, if there is one.
    pub fn attached(&self) -> Option<u32> {
        self.attached.as_ref().map(|attached| attached.shared.number)
    }
}

/// What SQLCopyDesc finds in its source.
#[derive(Clone, Debug)]
pub enum Content {
    /// The content of an application descriptor.
    Application(ApplicationDescriptor),
    /// The content of an implementation parameter descriptor, from parameter 1.
    Parameters(Vec<Option<Parameter>>),
    /// The content of an implementation row descriptor. Nothing in it concerns the application's buffers.
    Columns,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(c_type: i16) -> Binding {
        Binding::new(c_type, Place::of_word(64), 4, Place::NULL)
    }

    #[test]
    fn an_attached_descriptor_is_one_for_all_and_its_end_is_seen() {
        let shared = SharedDescriptor::new(1);
        let (mut one, mut other) = (UsedDescriptor::default(), UsedDescriptor::default());
        one.edit(|own| own.set_record(1, Some(binding(4))));
        one.attach(Some(Arc::clone(&shared)));
        other.attach(Some(Arc::clone(&shared)));
        assert!(one.record(1).is_none(), "its own records are set aside");
        other.edit(|both| both.set_record(2, Some(binding(5))));
        one.refresh();
        assert_eq!(one.record(2).map(|record| record.c_type), Some(5));
        shared.free();
        one.refresh();
        other.refresh();
        assert_eq!((one.record(1).map(|record| record.c_type), one.count()), (Some(4), 1));
        assert_eq!((other.count(), other.attached()), (0, None));
    }

    #[test]
    fn rows_lie_column_wise_or_row_wise() {
        let at = |bind_type| {
            let descriptor = ApplicationDescriptor { bind_type, ..ApplicationDescriptor::default() };
            descriptor.at(Binding::new(1, Place::of_word(1000), 10, Place::of_word(2000)), 3, None)
        };
        let (columns, rows) = (at(None), at(Some(100)));
        assert_eq!((columns.target, columns.length), (Place::of_word(1030), Place::of_word(2024)));
        assert_eq!((rows.target, rows.length), (Place::of_word(1300), Place::of_word(2300)));
    }
}
