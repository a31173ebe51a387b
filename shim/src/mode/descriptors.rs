//! Descriptor fields as they reach into the application's model of a statement.
//!
//! ODBC reference: SQLSetDescField ("Initialization of Descriptor Fields"), SQLSetStmtAttr for the attributes that are
//! header fields.

use super::application::{Application, BoundParameter, attribute};
use crate::args::{Binding, Parameter, Place};
use crate::call::Call;

/// Which of a statement's four descriptors.
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
    /// The role a statement attribute names (SQL_ATTR_APP_ROW_DESC and its siblings).
    pub fn of_attribute(attribute: i32) -> Option<Self> {
        match attribute {
            10010 => Some(DescriptorRole::ApplicationRow),
            10011 => Some(DescriptorRole::ApplicationParameter),
            10012 => Some(DescriptorRole::ImplementationRow),
            10013 => Some(DescriptorRole::ImplementationParameter),
            _ => None,
        }
    }

    /// The statement attribute of the role.
    pub fn attribute(self) -> i32 {
        10010 + self as i32
    }
}

/// The concise type of a verbose one: SQL_DATETIME (9) and SQL_INTERVAL (10) with their subcode. Any other type is
/// its own (the reference page of SQLSetDescField, SQL_DESC_TYPE).
fn concise(kind: i16, subcode: i16) -> i16 {
    match kind {
        9 if (1..=3).contains(&subcode) => 90 + subcode,
        10 if (1..=13).contains(&subcode) => 100 + subcode,
        other => other,
    }
}

/// Descriptor fields by their ODBC names.
mod field {
    use odbc_sys::Desc as D;
    pub const COUNT: i16 = D::Count as i16;
    pub const ARRAY_SIZE: i16 = D::ArraySize as i16;
    pub const ARRAY_STATUS_PTR: i16 = D::ArrayStatusPtr as i16;
    pub const BIND_OFFSET_PTR: i16 = D::BindOffsetPtr as i16;
    pub const BIND_TYPE: i16 = D::BindType as i16;
    pub const ROWS_PROCESSED_PTR: i16 = D::RowsProcessedPtr as i16;
    pub const TYPE: i16 = D::Type as i16;
    pub const CONCISE_TYPE: i16 = D::ConciseType as i16;
    pub const SUBCODE: i16 = D::DatetimeIntervalCode as i16;
    pub const DATA_PTR: i16 = D::DataPtr as i16;
    pub const INDICATOR_PTR: i16 = D::IndicatorPtr as i16;
    pub const OCTET_LENGTH_PTR: i16 = D::OctetLengthPtr as i16;
    pub const OCTET_LENGTH: i16 = D::OctetLength as i16;
    pub const PARAMETER_TYPE: i16 = D::ParameterType as i16;
}

/// The statement attribute that is the same as a descriptor's header field.
fn header_attribute(role: DescriptorRole, field: i16) -> Option<i32> {
    use DescriptorRole::*;
    Some(match (role, field) {
        (ApplicationRow, field::ARRAY_SIZE) => attribute::ROW_ARRAY_SIZE,
        (ApplicationRow, field::ARRAY_STATUS_PTR) => attribute::ROW_OPERATION_PTR,
        (ApplicationRow, field::BIND_OFFSET_PTR) => attribute::ROW_BIND_OFFSET_PTR,
        (ApplicationRow, field::BIND_TYPE) => attribute::ROW_BIND_TYPE,
        (ImplementationRow, field::ARRAY_STATUS_PTR) => attribute::ROW_STATUS_PTR,
        (ImplementationRow, field::ROWS_PROCESSED_PTR) => attribute::ROWS_FETCHED_PTR,
        (ApplicationParameter, field::ARRAY_SIZE) => attribute::PARAMSET_SIZE,
        (ApplicationParameter, field::ARRAY_STATUS_PTR) => attribute::PARAM_OPERATION_PTR,
        (ApplicationParameter, field::BIND_OFFSET_PTR) => attribute::PARAM_BIND_OFFSET_PTR,
        (ApplicationParameter, field::BIND_TYPE) => attribute::PARAM_BIND_TYPE,
        (ImplementationParameter, field::ARRAY_STATUS_PTR) => attribute::PARAM_STATUS_PTR,
        (ImplementationParameter, field::ROWS_PROCESSED_PTR) => attribute::PARAMS_PROCESSED_PTR,
        _ => return None,
    })
}

impl Application {
    /// Takes in SQLSetDescField and SQLSetDescRec on one of the statement's own descriptors.
    pub fn apply_to_descriptor(&mut self, role: DescriptorRole, call: &Call<'_>) {
        match call {
            Call::SetDescField { record: 0, field, value } => self.set_header(role, *field, value.place()),
            Call::SetDescField { record, field, value } => self.set_record(role, *record as u16, *field, value.place()),
            Call::SetDescRec { record, kind, subtype, binding, .. } => {
                let binding = Binding { c_type: concise(*kind, *subtype), ..*binding };
                match role {
                    DescriptorRole::ApplicationRow => self.set_column(*record as u16, Some(binding)),
                    DescriptorRole::ApplicationParameter => {
                        self.edit_parameter(*record as u16, |bound| bound.binding = binding)
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn set_header(&mut self, role: DescriptorRole, field: i16, value: Place) {
        match (role, field, header_attribute(role, field)) {
            (_, _, Some(attribute)) => self.set(attribute, value),
            (DescriptorRole::ApplicationRow, field::COUNT, _) => self.columns.truncate(value.address() as usize + 1),
            (DescriptorRole::ApplicationParameter, field::COUNT, _) => {
                self.parameters.truncate(value.address() as usize)
            }
            _ => {}
        }
    }

    fn set_record(&mut self, role: DescriptorRole, record: u16, field: i16, value: Place) {
        let number = value.address() as isize;
        let edit = |binding: &mut Binding| match field {
            field::TYPE | field::CONCISE_TYPE => binding.c_type = number as i16,
            field::SUBCODE => binding.c_type = concise(binding.c_type, number as i16),
            field::DATA_PTR => binding.target = value,
            field::INDICATOR_PTR => binding.indicator = value,
            field::OCTET_LENGTH_PTR => binding.length = value,
            field::OCTET_LENGTH => binding.capacity = number,
            _ => {}
        };
        match role {
            DescriptorRole::ApplicationRow => {
                let mut binding = self.column(record).unwrap_or(Self::UNBOUND);
                edit(&mut binding);
                self.types.insert(record, binding.c_type);
                self.set_column(record, Some(binding));
            }
            DescriptorRole::ApplicationParameter => self.edit_parameter(record, |bound| edit(&mut bound.binding)),
            DescriptorRole::ImplementationParameter => self.edit_parameter(record, |bound| match field {
                field::PARAMETER_TYPE => bound.parameter.io = number as i16,
                field::TYPE | field::CONCISE_TYPE => bound.parameter.sql_type = number as i16,
                _ => {}
            }),
            DescriptorRole::ImplementationRow => {}
        }
    }

    /// The address a descriptor field holds (SQLGetDescField); null where it was never set.
    pub fn descriptor_address(&self, role: DescriptorRole, record: u16, field: i16) -> Place {
        if record == 0 {
            return header_attribute(role, field).map_or(Place::NULL, |attribute| self.address(attribute));
        }
        let binding = match role {
            DescriptorRole::ApplicationRow => self.column(record),
            DescriptorRole::ApplicationParameter => self.parameter(record).map(|bound| bound.binding),
            _ => None,
        };
        binding.map_or(Place::NULL, |binding| match field {
            field::DATA_PTR => binding.target,
            field::INDICATOR_PTR => binding.indicator,
            field::OCTET_LENGTH_PTR => binding.length,
            _ => Place::NULL,
        })
    }

    fn edit_parameter(&mut self, number: u16, edit: impl FnOnce(&mut BoundParameter)) {
        let fresh =
            BoundParameter { binding: Self::UNBOUND, parameter: Parameter { io: 1, sql_type: 0, size: 0, digits: 0 } };
        let mut bound = self.parameter(number).unwrap_or(fresh);
        edit(&mut bound);
        self.set_parameter(number, Some(bound));
    }
}
