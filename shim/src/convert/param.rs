//! Input parameters as values for the cassette, to be recorded, and to be compared at replay.
//!
//! Integers, floating point, text and NULL are what they are in YAML. Everything else is a map of one key, the C type's
//! name: `{TYPE_TIMESTAMP: "2001-01-31 12:30:45"}`, `{BINARY: '\x00ff'}`, `{DEFAULT_PARAM: null}`. CHAR and WCHAR of
//! the same text are the same value. A value of more than 4 KiB is `{sha256, bytes}`, which is enough to verify it.
//!
//! ODBC reference: SQLBindParameter, "StrLen_or_IndPtr Argument".
#![allow(unsafe_code)]

use sha2::{Digest, Sha256};
use super8_cassette::text::hex;
use super8_cassette::{Detail, Value};

use super::ctype::{CType, Kind, Qualifier};
use super::decimal::Numeric;
use super::interval::Interval;
use super::{cell_text, fixed, memory, read, utf16};

/// The most bytes of a value that is stored itself. A longer one is stored as its digest.
pub const INLINE_LIMIT: usize = 4096;

const NULL_DATA: isize = -1;
const DATA_AT_EXEC: isize = -2;
const NTS: isize = -3;
const DEFAULT_PARAM: isize = -5;
const COLUMN_IGNORE: isize = -6;
/// SQL_LEN_DATA_AT_EXEC(0): this and every lower number say that the data comes later.
const LEN_DATA_AT_EXEC: isize = -100;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The data comes with SQLPutData; [`of_bytes`] makes the value then.
    DataAtExec,
    /// There is no buffer (SQLSTATE HY009).
    NoBuffer,
    /// The length is negative and not one that ODBC names (SQLSTATE HY090).
    BadLength(isize),
}

/// Reads the value of an input parameter, or of a bound column of SQLSetPos and SQLBulkOperations.
///
/// `length` and `indicator` are what SQL_DESC_OCTET_LENGTH_PTR and SQL_DESC_INDICATOR_PTR point to, `None` for a null
/// pointer; nearly always they are the same variable. Without a length, character and binary data ends with a NUL
/// (binary data at `buffer_length` at the latest, if that is positive). SQL_C_DEFAULT has to be resolved before.
///
/// # Safety
/// The application's promise to ODBC: the buffer holds a value of this type and length, and stays as it is now.
pub unsafe fn value(
    c_type: CType,
    pointer: *const u8,
    buffer_length: isize,
    length: Option<isize>,
    indicator: Option<isize>,
) -> Result<Value, Refused> {
    if indicator == Some(NULL_DATA) {
        return Ok(Value::Null);
    }
    for said in [length, indicator].into_iter().flatten() {
        match said {
            DATA_AT_EXEC | ..=LEN_DATA_AT_EXEC => return Err(Refused::DataAtExec),
            DEFAULT_PARAM => return Ok(tagged("DEFAULT_PARAM", Value::Null)),
            COLUMN_IGNORE => return Ok(tagged("COLUMN_IGNORE", Value::Null)),
            _ => {}
        }
    }
    let limit = usize::try_from(buffer_length).ok().filter(|limit| *limit > 0);
    let bytes = match (c_type.fixed_size(), length.unwrap_or(NTS)) {
        (Some(size), _) => size,
        (None, NTS) => match read::unit(c_type.kind()) {
            // SAFETY: NUL-terminated, by the application's promise.
            Some(unit) => unsafe { memory::terminated(pointer, unit, isize::MAX as usize) },
            // SAFETY: as above, or as long as the buffer.
            None => unsafe { memory::terminated(pointer, 1, limit.unwrap_or(isize::MAX as usize)) },
        },
        (None, length) => usize::try_from(length).map_err(|_| Refused::BadLength(length))?,
    };
    if pointer.is_null() && bytes > 0 {
        return Err(Refused::NoBuffer);
    }
    // SAFETY: the application promises that the value has this many bytes.
    Ok(of_bytes(c_type, unsafe { memory::bytes(pointer, bytes) }))
}

/// Returns the value of these bytes, which are one value of this C type without terminator.
pub fn of_bytes(c_type: CType, bytes: &[u8]) -> Value {
    let kind = c_type.kind();
    let double = || bytes.try_into().map(f64::from_ne_bytes).ok().filter(|number| number.is_finite());
    if kind == Kind::Double
        && let Some(number) = double()
    {
        return Value::Float(number);
    }
    let mut text = Vec::new();
    let counting = counting(kind, bytes);
    let bytes = counting.as_deref().unwrap_or(bytes);
    let valid = match kind {
        Kind::Integer { signed, .. } => match fixed::integer(bytes, signed) {
            Some(number) => return Value::Int(number),
            None => false,
        },
        Kind::Char => return character(c_type, bytes, std::str::from_utf8(bytes).ok().map(str::to_owned)),
        Kind::WChar => {
            let whole = bytes.len().is_multiple_of(2) && utf16::to_utf8(bytes, &mut text);
            return character(c_type, bytes, whole.then(|| String::from_utf8(text).ok()).flatten());
        }
        _ => cell_text::to_text(kind, bytes, &mut text),
    };
    let text = String::from_utf8(text).ok().filter(|_| valid);
    match text {
        Some(text) if c_type.is_float() => match text.parse::<f64>() {
            // The shortest text of a float is read as a double: 0.1, not 0.10000000149011612.
            Ok(number) if number.is_finite() => Value::Float(number),
            _ => tagged(&c_type.name(), Value::Text(text)),
        },
        Some(text) => tagged(&c_type.name(), Value::Text(text)),
        None => raw(c_type, bytes),
    }
}

/// Returns the bytes of a structure without the parts that drivers ignore and an application may leave unset.
fn counting(kind: Kind, bytes: &[u8]) -> Option<Vec<u8>> {
    match (kind, bytes) {
        (Kind::Interval(qualifier), _) => Interval::sent(qualifier, bytes).map(Vec::from),
        // Only a sign of 0 is negative.
        (Kind::Numeric, &[precision, scale, 2..=u8::MAX, ref value @ ..]) => {
            Some([&[precision, scale, 1], value].concat())
        }
        _ => None,
    }
}

/// Returns the value of a SQL_NUMERIC_STRUCT whose precision and scale the driver replaces, before it reads the number,
/// by those that are described elsewhere: `of` says of what they are, a parameter or a column.
pub fn numeric_of(bytes: &[u8], (precision, scale, of): (u8, i8, &str)) -> Option<Value> {
    let rest = bytes.get(2..19)?;
    let value = of_bytes(CType::NUMERIC, &[&[precision, scale as u8], rest].concat());
    let Value::Map(pairs) = value else { return None };
    let [(name, Value::Text(text))] = &pairs[..] else { return None };
    Some(tagged(name, Value::Text(format!("{text} of the {of}"))))
}

/// A part of a structure that some drivers read and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// The days before the hours of an interval of hours to minutes or seconds. MariaDB's driver does not read them
    /// (`MADB_IntervalHtoMS2Sql` in ma_typeconv.c); psqlodbc sends them.
    Days,
    /// The precision of a SQL_NUMERIC_STRUCT that has room for all digits of the number. To psqlodbc it says only how many digits
    /// there may be at most (`ResolveNumericParam` in convert.c).
    Precision,
}

impl LeftOut {
    /// The part that a structure of this type has.
    pub fn of(c_type: CType) -> Option<LeftOut> {
        match c_type.kind() {
            Kind::Interval(Qualifier::HourToMinute | Qualifier::HourToSecond) => Some(LeftOut::Days),
            Kind::Numeric => Some(LeftOut::Precision),
            _ => None,
        }
    }

    /// Whether the driver in this library is known not to read it.
    pub fn by(self, library: &str) -> bool {
        library.starts_with(match self {
            LeftOut::Days => "libmaodbc",
            LeftOut::Precision => "psqlodbc",
        })
    }

    /// What the cassette calls it.
    pub fn about(self) -> &'static str {
        match self {
            LeftOut::Days => "days_left_out",
            LeftOut::Precision => "precision_left_out",
        }
    }

    /// The value of these bytes without it; none if they do not have it, or it counts all the same.
    pub fn value(self, c_type: CType, bytes: &[u8]) -> Option<Value> {
        let of = |bytes: &[u8]| Some(of_bytes(c_type, bytes));
        let counting = counting(c_type.kind(), bytes);
        match (self, c_type.kind(), counting.as_deref().unwrap_or(bytes)) {
            (LeftOut::Days, Kind::Interval(qualifier), bytes) => of(&Interval::sent_from_first(qualifier, bytes)?),
            (LeftOut::Precision, Kind::Numeric, bytes @ [precision, rest @ ..]) => {
                let digits = Numeric::from_bytes(bytes)?.digits();
                if *precision < digits { None } else { of(&[&[digits], rest].concat()) }
            }
            _ => None,
        }
    }
}

fn character(c_type: CType, bytes: &[u8], text: Option<String>) -> Value {
    match text {
        Some(text) if text.len() > INLINE_LIMIT => digest(text.as_bytes()),
        Some(text) => Value::Text(text),
        None => raw(c_type, bytes),
    }
}

/// Returns bytes that have no text, under the type's name.
fn raw(c_type: CType, bytes: &[u8]) -> Value {
    let value = match bytes.len() {
        0..=INLINE_LIMIT => Value::Text(format!("\\x{}", hex(bytes))),
        _ => digest(bytes),
    };
    tagged(&c_type.name(), value)
}

fn tagged(name: &str, value: Value) -> Value {
    Value::Map(vec![(name.to_owned(), value)])
}

/// Returns a value that is too big to be kept, as `{sha256, bytes}`: the digest in hexadecimal, and the number of
/// bytes.
pub fn digest(bytes: &[u8]) -> Value {
    Value::Map(vec![
        Detail::Sha256.with(hex(&Sha256::digest(bytes))),
        Detail::Bytes.with(Value::Int(bytes.len() as i128)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(c_type: CType, bytes: &[u8], length: Option<isize>) -> Result<Value, Refused> {
        // SAFETY: the tests give lengths within their bytes, or a NUL.
        unsafe { value(c_type, bytes.as_ptr(), bytes.len() as isize, length, length) }
    }

    fn map(name: &str, text: &str) -> Result<Value, Refused> {
        Ok(tagged(name, Value::from(text)))
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_ne_bytes).collect()
    }

    #[test]
    fn numbers_and_texts_are_plain() {
        assert_eq!(of(CType::SLONG, &(-7i32).to_ne_bytes(), None), Ok(Value::Int(-7)));
        assert_eq!(of(CType::UBIGINT, &[0xFF; 8], Some(0)), Ok(Value::Int(u64::MAX.into())));
        assert_eq!(of(CType::FLOAT, &0.1f32.to_ne_bytes(), None), Ok(Value::Float(0.1)));
        assert_eq!(of(CType::DOUBLE, &1e300f64.to_ne_bytes(), None), Ok(Value::Float(1e300)));
        assert_eq!(of(CType::CHAR, b"abc\0def", None), Ok(Value::from("abc")));
        assert_eq!(of(CType::CHAR, b"abc\0def", Some(NTS)), Ok(Value::from("abc")));
        assert_eq!(of(CType::CHAR, b"abc\0def", Some(5)), Ok(Value::from("abc\0d")));
        assert_eq!(of(CType::WCHAR, &wide("né😀\0x"), None), Ok(Value::from("né😀")));
        assert_eq!(of(CType::WCHAR, &wide("né😀\0x"), Some(4)), Ok(Value::from("né")));
    }

    #[test]
    fn the_rest_says_its_type() {
        let timestamp = [0xD1, 7, 1, 0, 31, 0, 12, 0, 30, 0, 45, 0, 0, 0x65, 0xCD, 0x1D];
        assert_eq!(of(CType::TYPE_TIMESTAMP, &timestamp, None), map("TYPE_TIMESTAMP", "2001-01-31 12:30:45.5"));
        let no_month = [0xD1, 7, 13, 0, 31, 0];
        assert_eq!(of(CType::DATE, &no_month, None), map("DATE", "\\xd1070d001f00"));
        assert_eq!(of(CType::BIT, &[1], None), map("BIT", "1"));
        assert_eq!(of(CType::BINARY, &[0, 255], Some(2)), map("BINARY", "\\x00ff"));
        assert_eq!(of(CType::BINARY, &[7, 0, 8], None), map("BINARY", "\\x07"));
        assert_eq!(of(CType::BINARY, &[7, 8], None), map("BINARY", "\\x0708"));
        assert_eq!(of(CType::CHAR, b"caf\xe9", Some(4)), map("CHAR", "\\x636166e9"));
        assert_eq!(of(CType::WCHAR, &[0, 0xD8], Some(2)), map("WCHAR", "\\x00d8"));
        assert_eq!(of(CType::WCHAR, &[0x41, 0, 0x42], Some(3)), map("WCHAR", "\\x410042"));
        assert_eq!(of(CType::DOUBLE, &f64::INFINITY.to_ne_bytes(), None), map("DOUBLE", "Infinity"));
        let payload = f64::NAN.to_bits() | 1;
        assert_eq!(of(CType::DOUBLE, &payload.to_ne_bytes(), None), map("DOUBLE", "\\x010000000000f87f"));
        assert_eq!(of(CType(0x4001), &[1, 2], Some(2)), map("16385", "\\x0102"));
    }

    #[test]
    fn what_the_indicator_says() {
        let named = |name: &str| Ok(tagged(name, Value::Null));
        assert_eq!(of(CType::SLONG, &[0; 4], Some(-1)), Ok(Value::Null));
        assert_eq!(of(CType::SLONG, &[0; 4], Some(-5)), named("DEFAULT_PARAM"));
        assert_eq!(of(CType::SLONG, &[0; 4], Some(-6)), named("COLUMN_IGNORE"));
        for later in [-2, -100, -101, isize::MIN] {
            assert_eq!(of(CType::CHAR, b"x\0", Some(later)), Err(Refused::DataAtExec));
        }
        assert_eq!(of(CType::CHAR, b"x\0", Some(-7)), Err(Refused::BadLength(-7)));
        // SAFETY: null is allowed.
        let null = |length| unsafe { value(CType::CHAR, std::ptr::null(), 0, length, None) };
        assert_eq!(null(Some(0)), Ok(Value::from("")));
        assert_eq!(null(Some(1)), Err(Refused::NoBuffer));
        // SAFETY: one byte, and a length of its own.
        let apart = unsafe { value(CType::CHAR, b"xy".as_ptr(), 2, Some(1), Some(0)) };
        assert_eq!(apart, Ok(Value::from("x")));
    }

    #[test]
    fn parts_that_a_driver_does_not_read() {
        let mut interval = [0u8; 28];
        (interval[0], interval[8], interval[12], interval[16]) = (12, 9, 10, 20);
        let hours = CType::INTERVAL_HOUR_TO_SECOND;
        assert_eq!(LeftOut::Days.value(hours, &interval), map("INTERVAL_HOUR_TO_SECOND", "10:20:00").ok());
        assert_eq!(LeftOut::of(CType::INTERVAL_DAY_TO_SECOND), None);
        let number = |precision: u8, sign: u8| [&[precision, 3, sign, 0x7c, 0x62][..], &[0; 14]].concat();
        let without = |precision, sign| LeftOut::Precision.value(CType::NUMERIC, &number(precision, sign));
        assert_eq!(without(5, 1), map("NUMERIC", "25.212").ok());
        assert_eq!(without(38, 77), map("NUMERIC", "25.212").ok());
        assert_eq!(without(4, 1), None, "psqlodbc cuts the number to four digits");
        assert_eq!(without(0, 1), None, "psqlodbc sends 0");
    }

    #[test]
    fn a_big_value_is_its_digest() {
        let text = vec![b'a'; INLINE_LIMIT + 1];
        let expected = digest(&text);
        assert_eq!(of_bytes(CType::CHAR, &text), expected);
        assert_eq!(of_bytes(CType::WCHAR, &wide(&String::from_utf8(text.clone()).unwrap())), expected);
        assert_eq!(of_bytes(CType::BINARY, &text), tagged("BINARY", expected));
        assert_eq!(of_bytes(CType::CHAR, &text[1..]), Value::from(str::from_utf8(&text[1..]).unwrap()));
    }

    #[test]
    fn the_digest_is_sha256() {
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc"), Value::Map(vec![Detail::Sha256.with(sum), Detail::Bytes.with(Value::Int(3))]));
    }
}
