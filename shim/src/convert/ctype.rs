//! The C data types of ODBC: their names in a cassette, their sizes, and what SQL_C_DEFAULT stands for.
//!
//! ODBC reference, Appendix D: "C Data Types" and "Converting Data from SQL to C Data Types".

use std::borrow::Cow;

/// A C data type by its number (`SQL_C_...`). Any number is valid, because drivers define their own from 0x4000 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CType(pub i16);

/// The memory layout of a C type. Types of one kind share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes in the application's or the driver's character set, NUL-terminated.
    Char,
    /// UTF-16 units in the machine's byte order, NUL-terminated.
    WChar,
    /// Bytes.
    Binary,
    /// One byte, 0 or 1.
    Bit,
    /// An integer of `size` bytes.
    Integer {
        /// The size in bytes.
        size: usize,
        /// Whether it can be negative.
        signed: bool,
    },
    /// `float`.
    Float,
    /// `double`.
    Double,
    /// SQL_NUMERIC_STRUCT.
    Numeric,
    /// SQLGUID.
    Guid,
    /// SQL_DATE_STRUCT.
    Date,
    /// SQL_TIME_STRUCT.
    Time,
    /// SQL_TIMESTAMP_STRUCT.
    Timestamp,
    /// SQL_INTERVAL_STRUCT with these fields.
    Interval(Qualifier),
    /// A type of the driver's own, or not a type at all. Only a value's length tells its size.
    Other,
}

/// The fields of an interval. The numbers are those of SQLINTERVAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is what it says
pub enum Qualifier {
    Year = 1,
    Month = 2,
    Day = 3,
    Hour = 4,
    Minute = 5,
    Second = 6,
    YearToMonth = 7,
    DayToHour = 8,
    DayToMinute = 9,
    DayToSecond = 10,
    HourToMinute = 11,
    HourToSecond = 12,
    MinuteToSecond = 13,
}

const fn signed(size: usize) -> Kind {
    Kind::Integer { size, signed: true }
}

const fn unsigned(size: usize) -> Kind {
    Kind::Integer { size, signed: false }
}

macro_rules! c_types {
    ($($name:ident $code:literal $kind:expr;)*) => {
        #[allow(missing_docs)] // each is SQL_C_ and its name
        impl CType {
            $(pub const $name: CType = CType($code);)*
        }

        impl CType {
            /// Every C type that ODBC defines.
            pub const ALL: &[CType] = &[$(CType::$name,)*];

            /// Returns the name in a cassette: without `SQL_C_`. The name of a driver's own type is its number.
            #[inline]
            pub fn name(self) -> Cow<'static, str> {
                match self.0 {
                    $($code => Cow::Borrowed(stringify!($name)),)*
                    other => Cow::Owned(other.to_string()),
                }
            }

            /// Returns the type of this name. BOOKMARK and VARBOOKMARK are other names of UBIGINT and BINARY.
            pub fn from_name(name: &str) -> Option<CType> {
                match name {
                    $(stringify!($name) => Some(CType::$name),)*
                    "BOOKMARK" => Some(CType::UBIGINT),
                    "VARBOOKMARK" => Some(CType::BINARY),
                    number => number.parse().ok().map(CType),
                }
            }

            /// Returns the type's kind, from a table, because it is asked for several times for every cell.
            #[inline]
            pub const fn kind(self) -> Kind {
                const LOWEST: i16 = CType::UTINYINT.0;
                const COUNT: usize = (CType::INTERVAL_MINUTE_TO_SECOND.0 - LOWEST) as usize + 1;
                static KINDS: [Kind; COUNT] = {
                    let mut kinds = [Kind::Other; COUNT];
                    $(kinds[($code - LOWEST) as usize] = $kind;)*
                    kinds
                };
                let index = self.0.wrapping_sub(LOWEST) as u16 as usize;
                if index < COUNT { KINDS[index] } else { Kind::Other }
            }
        }
    };
}

c_types! {
    CHAR       1  Kind::Char;
    WCHAR     -8  Kind::WChar;
    BINARY    -2  Kind::Binary;
    BIT       -7  Kind::Bit;
    STINYINT  -26 signed(1);
    UTINYINT  -28 unsigned(1);
    TINYINT   -6  signed(1);
    SSHORT    -15 signed(2);
    USHORT    -17 unsigned(2);
    SHORT      5  signed(2);
    SLONG     -16 signed(4);
    ULONG     -18 unsigned(4);
    LONG       4  signed(4);
    SBIGINT   -25 signed(8);
    UBIGINT   -27 unsigned(8);
    FLOAT      7  Kind::Float;
    DOUBLE     8  Kind::Double;
    NUMERIC    2  Kind::Numeric;
    GUID      -11 Kind::Guid;
    DATE       9  Kind::Date;
    TIME       10 Kind::Time;
    TIMESTAMP  11 Kind::Timestamp;
    TYPE_DATE      91 Kind::Date;
    TYPE_TIME      92 Kind::Time;
    TYPE_TIMESTAMP 93 Kind::Timestamp;
    INTERVAL_YEAR             101 Kind::Interval(Qualifier::Year);
    INTERVAL_MONTH            102 Kind::Interval(Qualifier::Month);
    INTERVAL_DAY              103 Kind::Interval(Qualifier::Day);
    INTERVAL_HOUR             104 Kind::Interval(Qualifier::Hour);
    INTERVAL_MINUTE           105 Kind::Interval(Qualifier::Minute);
    INTERVAL_SECOND           106 Kind::Interval(Qualifier::Second);
    INTERVAL_YEAR_TO_MONTH    107 Kind::Interval(Qualifier::YearToMonth);
    INTERVAL_DAY_TO_HOUR      108 Kind::Interval(Qualifier::DayToHour);
    INTERVAL_DAY_TO_MINUTE    109 Kind::Interval(Qualifier::DayToMinute);
    INTERVAL_DAY_TO_SECOND    110 Kind::Interval(Qualifier::DayToSecond);
    INTERVAL_HOUR_TO_MINUTE   111 Kind::Interval(Qualifier::HourToMinute);
    INTERVAL_HOUR_TO_SECOND   112 Kind::Interval(Qualifier::HourToSecond);
    INTERVAL_MINUTE_TO_SECOND 113 Kind::Interval(Qualifier::MinuteToSecond);
    DEFAULT 99 Kind::Other;
}

impl CType {
    /// Returns the number as the application passed it.
    pub const fn code(self) -> i16 {
        self.0
    }

    /// Returns the size of a value in bytes, if the type's values all have the same size. `None` for CHAR, WCHAR,
    /// BINARY and unknown types.
    #[inline]
    pub const fn fixed_size(self) -> Option<usize> {
        match self.kind() {
            Kind::Char | Kind::WChar | Kind::Binary | Kind::Other => None,
            Kind::Bit => Some(1),
            Kind::Integer { size, .. } => Some(size),
            Kind::Float => Some(4),
            Kind::Double => Some(8),
            Kind::Numeric => Some(19),
            Kind::Guid | Kind::Timestamp => Some(16),
            Kind::Date | Kind::Time => Some(6),
            Kind::Interval(_) => Some(28),
        }
    }

    /// Bytes of a buffer that some drivers set to zero for a NULL: all of a value of a fixed size, the first character of a text, the
    /// first byte of what is binary.
    pub const fn null_size(self) -> Option<usize> {
        match self.kind() {
            Kind::Char | Kind::Binary => Some(1),
            Kind::WChar => Some(2),
            _ => self.fixed_size(),
        }
    }

    /// Returns whether the value is an integer (BIT is not).
    pub const fn is_integer(self) -> bool {
        matches!(self.kind(), Kind::Integer { .. })
    }

    /// Returns whether the value is FLOAT or DOUBLE.
    pub const fn is_float(self) -> bool {
        matches!(self.kind(), Kind::Float | Kind::Double)
    }

    /// Returns whether the value may come in pieces, as all values without a fixed size may.
    #[inline]
    pub const fn is_variable(self) -> bool {
        self.fixed_size().is_none()
    }

    /// Returns what SQL_C_DEFAULT means for a column or parameter of this SQL type, with ODBC 2 or ODBC 3 number.
    ///
    /// ODBC makes integers signed or unsigned as the column is. Here they are always signed; the bytes are the same,
    /// and the same bytes come back. A type that this table does not know is character data, as with drivers.
    pub const fn default_for(sql_type: i16) -> CType {
        match sql_type {
            // CHAR, VARCHAR, LONGVARCHAR, NUMERIC, DECIMAL
            1 | 12 | -1 | 2 | 3 => CType::CHAR,
            // WCHAR, WVARCHAR, WLONGVARCHAR, and the three of ODBC 2
            -8 | -9 | -10 | -95 | -96 | -97 => CType::WCHAR,
            // BINARY, VARBINARY, LONGVARBINARY
            -4..=-2 => CType::BINARY,
            -7 => CType::BIT,
            -6 => CType::STINYINT,
            5 => CType::SSHORT,
            4 => CType::SLONG,
            -5 => CType::SBIGINT,
            7 => CType::FLOAT,
            // FLOAT, DOUBLE
            6 | 8 => CType::DOUBLE,
            -11 => CType::GUID,
            // The date, time and timestamp of ODBC 2, then those of ODBC 3, then the intervals of ODBC 3.
            9..=11 | 91..=93 | 101..=113 => CType(sql_type),
            // The intervals of ODBC 2, which had another order.
            -80 => CType::INTERVAL_YEAR,
            -81 => CType::INTERVAL_MONTH,
            -82 => CType::INTERVAL_YEAR_TO_MONTH,
            -86..=-83 => CType(20 - sql_type),
            -92..=-87 => CType(21 - sql_type),
            _ => CType::CHAR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_go_both_ways() {
        for &c_type in CType::ALL {
            assert_eq!(CType::from_name(&c_type.name()), Some(c_type));
        }
        assert_eq!(CType(0x4001).name(), "16385");
        assert_eq!(CType::from_name("16385"), Some(CType(0x4001)));
        assert_eq!(CType::from_name("BOOKMARK"), Some(CType::UBIGINT));
        assert_eq!(CType::from_name("LONGISH"), None);
    }

    #[test]
    fn sizes_are_those_of_the_c_structs() {
        let sizes = [
            (CType::NUMERIC, size_of::<odbc_sys::Numeric>()),
            (CType::GUID, size_of::<odbc_sys::Guid>()),
            (CType::TYPE_DATE, size_of::<odbc_sys::Date>()),
            (CType::TYPE_TIME, size_of::<odbc_sys::Time>()),
            (CType::TYPE_TIMESTAMP, size_of::<odbc_sys::Timestamp>()),
            (CType::INTERVAL_DAY, size_of::<odbc_sys::IntervalStruct>()),
        ];
        for (c_type, size) in sizes {
            assert_eq!(c_type.fixed_size(), Some(size), "{}", c_type.name());
        }
    }

    #[test]
    fn numbers_are_those_of_odbc() {
        use odbc_sys::CDataType as C;
        let pairs = [
            (CType::CHAR, C::Char),
            (CType::WCHAR, C::WChar),
            (CType::BINARY, C::Binary),
            (CType::BIT, C::Bit),
            (CType::STINYINT, C::STinyInt),
            (CType::UTINYINT, C::UTinyInt),
            (CType::SSHORT, C::SShort),
            (CType::USHORT, C::UShort),
            (CType::SLONG, C::SLong),
            (CType::ULONG, C::ULong),
            (CType::SBIGINT, C::SBigInt),
            (CType::UBIGINT, C::UBigInt),
            (CType::FLOAT, C::Float),
            (CType::DOUBLE, C::Double),
            (CType::NUMERIC, C::Numeric),
            (CType::GUID, C::Guid),
            (CType::DATE, C::Date),
            (CType::TIME, C::Time),
            (CType::TIMESTAMP, C::TimeStamp),
            (CType::TYPE_DATE, C::TypeDate),
            (CType::TYPE_TIME, C::TypeTime),
            (CType::TYPE_TIMESTAMP, C::TypeTimestamp),
            (CType::INTERVAL_YEAR, C::IntervalYear),
            (CType::INTERVAL_DAY_TO_SECOND, C::IntervalDayToSecond),
            (CType::INTERVAL_MINUTE_TO_SECOND, C::IntervalMinuteToSecond),
            (CType::DEFAULT, C::Default),
        ];
        for (ours, theirs) in pairs {
            assert_eq!(ours.code(), theirs as i16);
        }
    }

    #[test]
    fn defaults_follow_the_sql_type() {
        let cases = [
            (1, "CHAR"),
            (-9, "WCHAR"),
            (-4, "BINARY"),
            (3, "CHAR"),
            (-7, "BIT"),
            (-5, "SBIGINT"),
            (6, "DOUBLE"),
            (7, "FLOAT"),
            (9, "DATE"),
            (93, "TYPE_TIMESTAMP"),
            (110, "INTERVAL_DAY_TO_SECOND"),
            (-83, "INTERVAL_DAY"),
            (-86, "INTERVAL_SECOND"),
            (-87, "INTERVAL_DAY_TO_HOUR"),
            (-92, "INTERVAL_MINUTE_TO_SECOND"),
            (-150, "CHAR"),
        ];
        for (sql_type, name) in cases {
            assert_eq!(CType::default_for(sql_type).name(), name, "SQL type {sql_type}");
        }
    }
}
