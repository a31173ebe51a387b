//! Exact decimal numbers: SQL_NUMERIC_STRUCT, and the numbers in texts before they become integers.
//!
//! ODBC reference, Appendix D: "Numeric Literal Syntax", "C Data Types" and "Retrieve numeric data with
//! SQL_NUMERIC_STRUCT".

use super::fixed::Fixed;

/// `±mantissa × 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    pub(super) mantissa: u128,
    pub(super) exponent: i32,
    /// Whether the number has more digits, not all zero, than the mantissa holds. Then its size is a little larger.
    pub(super) more: bool,
}

/// How many digits always fit a `u128`.
const DIGITS: u32 = 38;

impl Decimal {
    pub(super) fn of(number: i128) -> Decimal {
        Decimal { negative: number < 0, mantissa: number.unsigned_abs(), exponent: 0, more: false }
    }

    /// Parses a number as SQL writes it: `[+-]digits[.digits][E[+-]digits]`, with a digit somewhere before the E and
    /// nothing around.
    pub(super) fn parse(text: &[u8]) -> Option<Decimal> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut number = Decimal { negative, mantissa: 0, exponent: 0, more: false };
        let (mut digits, mut any, mut point) = (0, false, false);
        let mut rest = text.iter();
        while let Some(&byte) = rest.next() {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    if digits < DIGITS {
                        number.mantissa = number.mantissa * 10 + u128::from(byte - b'0');
                        digits += u32::from(number.mantissa != 0);
                        number.exponent = number.exponent.saturating_sub(i32::from(point));
                    } else {
                        number.more |= byte != b'0';
                        number.exponent = number.exponent.saturating_add(i32::from(!point));
                    }
                }
                b'.' if !point => point = true,
                b'e' | b'E' if any => {
                    let exponent = std::str::from_utf8(rest.as_slice()).ok()?;
                    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    // An exponent beyond i32 is beyond every type as well.
                    let far = if exponent.starts_with('-') { i32::MIN } else { i32::MAX };
                    number.exponent = number.exponent.saturating_add(exponent.parse().unwrap_or(far));
                    break;
                }
                _ => return None,
            }
        }
        any.then_some(number)
    }

    /// Returns the size of the whole part, and whether a fraction was left out; `None` if it does not fit a `u128`.
    pub(super) fn whole(&self) -> Option<(u128, bool)> {
        if self.mantissa == 0 {
            return Some((0, self.more));
        }
        match u32::try_from(self.exponent) {
            Ok(0) => Some((self.mantissa, self.more)),
            Ok(_) if self.more => None,
            Ok(zeros) => Some((self.mantissa.checked_mul(10u128.checked_pow(zeros)?)?, false)),
            Err(_) => match 10u128.checked_pow(self.exponent.unsigned_abs()) {
                Some(unit) => Some((self.mantissa / unit, self.more || !self.mantissa.is_multiple_of(unit))),
                None => Some((0, true)),
            },
        }
    }

    /// Returns the size of the number in units of `10^-scale`, and whether digits were left out; `None` if it does not
    /// fit a `u128`.
    pub(super) fn scaled(&self, scale: i32) -> Option<(u128, bool)> {
        Decimal { exponent: self.exponent.saturating_add(scale), ..*self }.whole()
    }

    /// Appends the text without an exponent: `-0.05`, `12300`. Numbers of a SQL_NUMERIC_STRUCT then have at most 166
    /// digits.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        let digits = self.mantissa.to_string();
        let scale = usize::try_from(self.exponent.saturating_neg()).unwrap_or(0);
        let point = digits.len().saturating_sub(scale);
        let (whole, fraction) = digits.split_at(point);
        out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
        out.resize(out.len() + usize::try_from(self.exponent).unwrap_or(0), b'0');
        if scale > 0 {
            out.push(b'.');
            out.resize(out.len() + scale - fraction.len(), b'0');
            out.extend_from_slice(fraction.as_bytes());
        }
    }
}

/// A SQL_NUMERIC_STRUCT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numeric {
    pub(super) precision: u8,
    pub(super) scale: i8,
    pub(super) negative: bool,
    pub(super) value: u128,
}

impl Numeric {
    /// Returns `None` if the sign is neither 1 (positive) nor 0 (negative).
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Numeric> {
        let &[precision, scale, sign @ (0 | 1), ref value @ ..] = bytes else { return None };
        let value = u128::from_le_bytes(value.try_into().ok()?);
        Some(Numeric { precision, scale: scale as i8, negative: sign == 0, value })
    }

    pub(super) fn to_fixed(self) -> Fixed {
        let mut bytes = [0; 19];
        bytes[..3].copy_from_slice(&[self.precision, self.scale as u8, u8::from(!self.negative)]);
        bytes[3..].copy_from_slice(&self.value.to_le_bytes());
        Fixed::new(&bytes)
    }

    pub(super) fn decimal(&self) -> Decimal {
        Decimal { negative: self.negative, mantissa: self.value, exponent: -i32::from(self.scale), more: false }
    }

    /// Returns the precision that a text of this value and scale implies if it does not state one.
    fn plain_precision(value: u128, scale: i8) -> usize {
        value.checked_ilog10().map_or(1, |log| log as usize + 1).max(usize::try_from(scale).unwrap_or(0))
    }

    /// Appends the number with as many fraction digits as the scale says, then ` (precision,scale)` unless the
    /// precision is the number of digits and the scale is not negative: `123.45`, `123.45 (18,2)`, `12300 (3,-2)`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.decimal().write(out);
        if self.scale < 0 || usize::from(self.precision) != Self::plain_precision(self.value, self.scale) {
            out.extend_from_slice(format!(" ({},{})", self.precision, self.scale).as_bytes());
        }
    }

    /// How many digits the number has, at least one.
    pub(super) fn digits(&self) -> u8 {
        self.value.checked_ilog10().map_or(1, |digits| digits as u8 + 1)
    }

    /// The inverse of [`Numeric::write`].
    pub(super) fn parse(text: &[u8]) -> Option<Numeric> {
        let text = std::str::from_utf8(text).ok()?;
        let (number, stated) = match text.strip_suffix(')').and_then(|text| text.split_once(" (")) {
            Some((number, stated)) => (number, Some(stated.split_once(',')?)),
            None => (text, None),
        };
        let fraction = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let (precision, scale) = match stated {
            Some((precision, scale)) => (Some(precision.parse().ok()?), scale.parse().ok()?),
            None => (None, i8::try_from(fraction).ok()?),
        };
        let (negative, digits) = number.strip_prefix('-').map_or((false, number), |digits| (true, digits));
        let mut value = 0u128;
        let mut any = false;
        // The zeros that a negative scale stands for are not part of the value.
        let shown = digits.len().checked_sub(usize::from(scale.min(0).unsigned_abs()));
        // Zero is written with its zeros too, so `shown` is at least one then.
        for byte in digits.bytes().take(shown?).filter(|byte| *byte != b'.') {
            any = true;
            let digit = byte.is_ascii_digit().then(|| u128::from(byte - b'0'))?;
            value = value.checked_mul(10)?.checked_add(digit)?;
        }
        if !any
            || fraction != usize::try_from(scale).unwrap_or(0)
            || !digits.bytes().skip(shown?).all(|zero| zero == b'0')
        {
            return None;
        }
        let precision = match precision {
            Some(precision) => precision,
            None => u8::try_from(Self::plain_precision(value, scale)).ok()?,
        };
        Some(Numeric { precision, scale, negative, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Option<Decimal> {
        Decimal::parse(text.as_bytes())
    }

    #[test]
    fn numbers_of_texts() {
        let whole = |text: &str| decimal(text).and_then(|number| number.whole());
        assert_eq!(whole("12"), Some((12, false)));
        assert_eq!(whole("+12.0"), Some((12, false)));
        assert_eq!(whole("-12.5"), Some((12, true)));
        assert_eq!(whole("1.25e2"), Some((125, false)));
        assert_eq!(whole("1e-400"), Some((0, true)));
        assert_eq!(whole("1e400"), None);
        assert_eq!(whole("0e99999999999"), Some((0, false)));
        assert_eq!(whole("1e99999999999"), None);
        assert_eq!(whole("00000000000000000000000000000000000000000000012"), Some((12, false)));
        assert_eq!(whole("100000000000000000000000000000000000000000000"), None);
        assert_eq!(whole("1.00000000000000000000000000000000000000000000"), Some((1, false)));
        assert_eq!(whole("1.00000000000000000000000000000000000000000001"), Some((1, true)));
        for bad in ["", "-", ".", "e5", "1e", "1e+", "1.2.3", "0x10", " 1", "1 ", "Infinity", "--1", "1e1.5"] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn numeric_structs_come_back() {
        let cases = [
            ("123.45", Numeric { precision: 5, scale: 2, negative: false, value: 12345 }),
            ("-123.45 (18,2)", Numeric { precision: 18, scale: 2, negative: true, value: 12345 }),
            ("0", Numeric { precision: 1, scale: 0, negative: false, value: 0 }),
            ("-0.00", Numeric { precision: 2, scale: 2, negative: true, value: 0 }),
            ("0.05 (0,2)", Numeric { precision: 0, scale: 2, negative: false, value: 5 }),
            ("12300 (3,-2)", Numeric { precision: 3, scale: -2, negative: false, value: 123 }),
            ("000 (1,-2)", Numeric { precision: 1, scale: -2, negative: false, value: 0 }),
            (
                "340282366920938463463374607431768211455",
                Numeric { precision: 39, scale: 0, negative: false, value: u128::MAX },
            ),
        ];
        for (text, numeric) in cases {
            let mut written = Vec::new();
            numeric.write(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), text);
            assert_eq!(Numeric::parse(text.as_bytes()), Some(numeric), "{text}");
            assert_eq!(Numeric::from_bytes(numeric.to_fixed().as_bytes()), Some(numeric));
        }
        for bad in [
            "",
            "-",
            "1.5 (2,0)",
            "1 (2,1)",
            "123 (3,-2)",
            "1 (300,0)",
            "12a",
            "1 2",
            "99999999999999999999999999999999999999999",
        ] {
            assert_eq!(Numeric::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn the_sign_must_be_one_of_two() {
        let mut bytes = [0; 19];
        bytes[2] = 2;
        assert_eq!(Numeric::from_bytes(&bytes), None);
    }
}
