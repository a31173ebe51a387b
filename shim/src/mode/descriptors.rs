//! Descriptor fields as they reach into the application's model of a statement.
//!
//! ODBC reference: SQLSetDescField ("Initialization of Descriptor Fields"), SQLSetStmtAttr for the attributes that are
//! header fields.

use super::application::{Application, attribute};
use crate::args::{Binding, Parameter, Place};
use crate::call::Call;
use crate::descriptor::{ApplicationDescriptor, Content, DescriptorRole};
use super8_cassette::Value;

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
    pub const PRECISION: i16 = D::Precision as i16;
    pub const SCALE: i16 = D::Scale as i16;
}

/// The statement attribute that is the same as a header field of an implementation descriptor.
fn header_attribute(role: DescriptorRole, field: i16) -> Option<i32> {
    match (role, field) {
        (DescriptorRole::ImplementationRow, field::ARRAY_STATUS_PTR) => Some(attribute::ROW_STATUS_PTR),
        (DescriptorRole::ImplementationRow, field::ROWS_PROCESSED_PTR) => Some(attribute::ROWS_FETCHED_PTR),
        (DescriptorRole::ImplementationParameter, field::ARRAY_STATUS_PTR) => Some(attribute::PARAM_STATUS_PTR),
        (DescriptorRole::ImplementationParameter, field::ROWS_PROCESSED_PTR) => Some(attribute::PARAMS_PROCESSED_PTR),
        _ => None,
    }
}

/// Whether a call, of the statement or of one of its descriptors, says where the driver writes how many rows it fetched.
pub fn sets_row_counter(role: Option<DescriptorRole>, call: &Call<'_>) -> bool {
    let attribute = match (role, call) {
        (None, Call::SetStmtAttr { attribute, .. }) => Some(*attribute),
        (Some(role), Call::SetDescField { field, .. }) => header_attribute(role, *field),
        _ => None,
    };
    attribute == Some(attribute::ROWS_FETCHED_PTR)
}

/// The deferred fields: setting any other field of a record unbinds its buffer.
pub fn is_deferred(field: i16) -> bool {
    matches!(field, field::DATA_PTR | field::INDICATOR_PTR | field::OCTET_LENGTH_PTR)
}

/// SQL_DESC_DATA_PTR.
pub const BUFFER: i16 = field::DATA_PTR;

/// A record whose type is not known yet.
const FRESH: Binding = Binding {
    c_type: odbc_sys::CDataType::Default as i16,
    target: Place::NULL,
    capacity: 0,
    length: Place::NULL,
    indicator: Place::NULL,
    numeric: None,
};

/// A call on an application descriptor, taken in.
pub fn apply(descriptor: &mut ApplicationDescriptor, call: &Call<'_>, unbinds: bool) {
    match call {
        Call::SetDescField { field, value, .. } if is_header(*field) => set_header(descriptor, *field, value.place()),
        Call::SetDescField { record, field, value } => {
            let mut binding = descriptor.record(*record as u16).unwrap_or(FRESH);
            set_field(&mut binding, *field, value.place());
            if unbinds && !is_deferred(*field) {
                binding.target = Place::NULL;
            }
            descriptor.set_record(*record as u16, Some(binding));
        }
        Call::SetDescRec { record, kind, subtype, binding, precision, scale } => {
            let numeric = Some((*precision as u8, *scale as i8)).filter(|_| *kind == NUMERIC);
            let binding = Binding { c_type: concise(*kind, *subtype), numeric, ..*binding };
            descriptor.set_record(*record as u16, Some(binding));
        }
        Call::CopyDescriptor { content: Content::Application(content), .. } => *descriptor = content.clone(),
        _ => {}
    }
}

/// SQL_C_NUMERIC.
const NUMERIC: i16 = odbc_sys::CDataType::Numeric as i16;

/// Fields of the descriptor itself; the record's number says nothing then.
pub fn is_header(field: i16) -> bool {
    matches!(
        field,
        field::ARRAY_SIZE
            | field::ARRAY_STATUS_PTR
            | field::BIND_OFFSET_PTR
            | field::BIND_TYPE
            | field::COUNT
            | field::ROWS_PROCESSED_PTR
    )
}

fn set_header(descriptor: &mut ApplicationDescriptor, field: i16, value: Place) {
    let number = value.address() as usize;
    match field {
        field::ARRAY_SIZE => descriptor.array_size = Some(number),
        field::ARRAY_STATUS_PTR => descriptor.operation = Some(value),
        field::BIND_OFFSET_PTR => descriptor.bind_offset = Some(value),
        field::BIND_TYPE => descriptor.bind_type = Some(value.address() as u32 as usize),
        field::COUNT => descriptor.truncate(usize::from(number as u16)),
        _ => {}
    }
}

fn set_field(binding: &mut Binding, field: i16, value: Place) {
    let number = value.address() as isize;
    match field {
        field::TYPE | field::CONCISE_TYPE => (binding.c_type, binding.numeric) = (number as i16, None),
        field::SUBCODE => binding.c_type = concise(binding.c_type, number as i16),
        field::DATA_PTR => binding.target = value,
        field::INDICATOR_PTR => binding.indicator = value,
        field::OCTET_LENGTH_PTR => binding.length = value,
        field::OCTET_LENGTH => binding.capacity = number,
        field::PRECISION => binding.numeric = Some((number as u8, binding.numeric.map_or(0, |(_, scale)| scale))),
        field::SCALE => binding.numeric = Some((binding.numeric.map_or(0, |(precision, _)| precision), number as i8)),
        _ => {}
    }
}

/// The address a field of an application descriptor holds; null where it was never set.
pub fn address(descriptor: &ApplicationDescriptor, record: u16, field: i16) -> Place {
    let binding = descriptor.record(record).unwrap_or(FRESH);
    match (record, field) {
        (_, field::ARRAY_STATUS_PTR) => descriptor.operation.unwrap_or(Place::NULL),
        (_, field::BIND_OFFSET_PTR) => descriptor.bind_offset.unwrap_or(Place::NULL),
        (_, field::DATA_PTR) => binding.target,
        (_, field::INDICATOR_PTR) => binding.indicator,
        (_, field::OCTET_LENGTH_PTR) => binding.length,
        _ => Place::NULL,
    }
}

/// A number a field of an application descriptor holds, where the application set it.
pub fn number(descriptor: &ApplicationDescriptor, record: u16, field: i16) -> Option<i64> {
    let of_record = |number: fn(Binding) -> i64| descriptor.record(record).map(number);
    match (record, field) {
        (_, field::COUNT) => Some(i64::from(descriptor.count())),
        (_, field::ARRAY_SIZE) => Some(descriptor.size() as i64),
        (_, field::BIND_TYPE) => Some(descriptor.bind_type.unwrap_or(0) as i64),
        (_, field::CONCISE_TYPE) => of_record(|binding| i64::from(binding.c_type)),
        (_, field::OCTET_LENGTH) => of_record(|binding| binding.capacity as i64),
        (_, field::PRECISION) => descriptor.record(record)?.numeric.map(|(precision, _)| i64::from(precision)),
        (_, field::SCALE) => descriptor.record(record)?.numeric.map(|(_, scale)| i64::from(scale)),
        _ => None,
    }
}

impl Application {
    /// Takes in SQLSetDescField, SQLSetDescRec and SQLCopyDesc on one of the statement's descriptors. `unbinds` says
    /// whether setting a field of a record unbinds its buffer.
    pub fn apply_to_descriptor(&mut self, role: DescriptorRole, call: &Call<'_>, unbinds: bool) {
        match role {
            DescriptorRole::ApplicationRow => self.columns.edit(|columns| apply(columns, call, unbinds)),
            DescriptorRole::ApplicationParameter => self.parameters.edit(|parameters| apply(parameters, call, unbinds)),
            DescriptorRole::ImplementationRow | DescriptorRole::ImplementationParameter => match call {
                Call::SetDescField { field, value, .. } if is_header(*field) => {
                    if let Some(attribute) = header_attribute(role, *field) {
                        self.set(attribute, value.place());
                    }
                }
                Call::SetDescField { record, field, value } if role == DescriptorRole::ImplementationParameter => {
                    self.edit_marker(*record as u16, *field, value.place().address() as isize);
                }
                Call::SetDescRec { record, kind, subtype, .. } if role == DescriptorRole::ImplementationParameter => {
                    let sql_type = concise(*kind, *subtype);
                    self.set_marker(*record as u16, Parameter { sql_type, ..self.marker(*record as u16) });
                }
                Call::CopyDescriptor { content: Content::Parameters(markers), .. } => self.markers = markers.clone(),
                _ => {}
            },
        }
    }

    fn edit_marker(&mut self, number: u16, field: i16, value: isize) {
        let mut marker = self.marker(number);
        match field {
            field::PARAMETER_TYPE => marker.io = value as i16,
            field::TYPE | field::CONCISE_TYPE => marker.sql_type = value as i16,
            field::SUBCODE => marker.sql_type = concise(marker.sql_type, value as i16),
            _ => {}
        }
        self.set_marker(number, marker);
    }

    /// What SQLCopyDesc finds in one of the statement's descriptors.
    pub fn content(&self, role: DescriptorRole) -> Content {
        match role {
            DescriptorRole::ApplicationRow => Content::Application((*self.columns).clone()),
            DescriptorRole::ApplicationParameter => Content::Application((*self.parameters).clone()),
            DescriptorRole::ImplementationParameter => Content::Parameters(self.markers.clone()),
            DescriptorRole::ImplementationRow => Content::Columns,
        }
    }

    /// The address a descriptor field holds (SQLGetDescField); null where it was never set.
    pub fn descriptor_address(&self, role: DescriptorRole, record: u16, field: i16) -> Place {
        match role {
            DescriptorRole::ApplicationRow => address(&self.columns, record, field),
            DescriptorRole::ApplicationParameter => address(&self.parameters, record, field),
            _ => header_attribute(role, field).map_or(Place::NULL, |attribute| self.address(attribute)),
        }
    }

    /// What the application set that a descriptor field depends on, as it stands in the key of an answer: the number itself, or
    /// all that it said of the parameter.
    pub fn descriptor_set(&self, role: DescriptorRole, record: u16, field: i16) -> Option<Value> {
        match role {
            DescriptorRole::ImplementationParameter if field == field::COUNT => {
                Some(Value::List(vec![Value::from(self.parameters.count())]))
            }
            DescriptorRole::ImplementationParameter if !is_header(field) => {
                self.parameters.record(record)?;
                let Parameter { io, sql_type, size, digits } = self.known_marker(record)?;
                Some(Value::List(vec![io.into(), sql_type.into(), (size as i64).into(), digits.into()]))
            }
            _ => self.descriptor_number(role, record, field).map(Value::from),
        }
    }

    /// The number a descriptor field holds, where the application set it.
    pub fn descriptor_number(&self, role: DescriptorRole, record: u16, field: i16) -> Option<i64> {
        match role {
            DescriptorRole::ApplicationRow => number(&self.columns, record, field),
            DescriptorRole::ApplicationParameter => number(&self.parameters, record, field),
            DescriptorRole::ImplementationParameter if field == field::PARAMETER_TYPE => {
                Some(i64::from(self.marker(record).io))
            }
            _ => None,
        }
    }
}
