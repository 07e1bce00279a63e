//! Integers of any size.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An integer of any size, as Python's `int`.
///
/// ```
/// use carafe::value::Int;
///
/// let big: Int = "170141183460469231731687303715884105728".parse()?;
/// assert_eq!(i128::try_from(&big).ok(), None);
/// assert!(big > Int::from(i64::MAX));
/// assert_eq!(Int::from(i64::MAX).add_i64(1).to_string(), "9223372036854775808");
/// # Ok::<(), carafe::value::ParseIntError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Int(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Small(i64),
    /// Decimal digits without leading zeros, after a `-` if negative; never what fits an `i64`.
    Big(Box<str>),
}

impl Int {
    /// Returns the integer as an `i64`, if it fits.
    ///
    /// ```
    /// use carafe::value::Int;
    ///
    /// let big: Int = "170141183460469231731687303715884105728".parse()?;
    /// assert_eq!(Int::from(7).as_i64(), Some(7));
    /// assert_eq!(big.as_i64(), None);
    /// # Ok::<(), carafe::value::ParseIntError>(())
    /// ```
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Small(small) => Some(small),
            Repr::Big(_) => None,
        }
    }

    /// Returns whether the integer is below zero.
    ///
    /// ```
    /// use carafe::value::Int;
    ///
    /// assert!(Int::from(-7).is_negative());
    /// ```
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small(small) => *small < 0,
            Repr::Big(text) => text.starts_with('-'),
        }
    }

    /// Returns the nearest float, or `None` beyond the floats' range, where Python raises
    /// `OverflowError`.
    ///
    /// ```
    /// use carafe::value::Int;
    ///
    /// assert_eq!(Int::from(7).to_f64(), Some(7.0));
    /// ```
    #[must_use]
    pub fn to_f64(&self) -> Option<f64> {
        match &self.0 {
            Repr::Small(small) => Some(*small as f64),
            Repr::Big(text) => text.parse().ok().filter(|float: &f64| float.is_finite()),
        }
    }

    /// Returns the sum with `other`.
    ///
    /// ```
    /// use carafe::value::Int;
    ///
    /// assert_eq!(Int::from(i64::MAX).add_i64(1).to_string(), "9223372036854775808");
    /// ```
    #[must_use]
    pub fn add_i64(&self, other: i64) -> Self {
        match &self.0 {
            Repr::Small(small) => Self::from(i128::from(*small) + i128::from(other)),
            Repr::Big(text) => add_to_big(text, other),
        }
    }

    /// The number of decimal digits, without the sign.
    pub(crate) fn digits(&self) -> usize {
        match &self.0 {
            Repr::Small(small) => {
                small.unsigned_abs().checked_ilog10().map_or(1, |n| n as usize + 1)
            }
            Repr::Big(text) => text.trim_start_matches('-').len(),
        }
    }

    /// An integer from text of the form `-?[0-9]+`.
    pub(crate) fn from_decimal(text: &str) -> Self {
        if let Ok(small) = text.parse() {
            return Self(Repr::Small(small));
        }
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text),
        };
        let digits = digits.trim_start_matches('0');
        Self(Repr::Big(format!("{sign}{digits}").into_boxed_str()))
    }
}

/// A big number's magnitude exceeds that of any `i64`, so the sign of the sum is its own.
fn add_to_big(text: &str, other: i64) -> Int {
    let negative = text.starts_with('-');
    let mut digits: Vec<u8> = text.trim_start_matches('-').bytes().map(|b| b - b'0').collect();
    let mut rest = other.unsigned_abs();
    let grows = negative == (other < 0);
    let mut carry = 0;
    for digit in digits.iter_mut().rev() {
        if rest == 0 && carry == 0 {
            break;
        }
        let step = (rest % 10) as u8 + carry;
        rest /= 10;
        if grows {
            (*digit, carry) = ((*digit + step) % 10, (*digit + step) / 10);
        } else {
            carry = u8::from(*digit < step);
            *digit = *digit + 10 * carry - step;
        }
    }
    let mut sum = String::with_capacity(digits.len() + 2);
    if negative {
        sum.push('-');
    }
    if grows && carry > 0 {
        sum.push('1');
    }
    sum.extend(digits.iter().map(|digit| char::from(b'0' + digit)));
    Int::from_decimal(&sum)
}

impl Ord for Int {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Repr::Small(a), Repr::Small(b)) = (&self.0, &other.0) {
            return a.cmp(b);
        }
        match (self.is_negative(), other.is_negative()) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (negative, _) => {
                let (a, b) = (self.to_string(), other.to_string());
                let order = a.len().cmp(&b.len()).then_with(|| a.cmp(&b));
                if negative { order.reverse() } else { order }
            }
        }
    }
}

impl PartialOrd for Int {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small(small) => small.fmt(f),
            Repr::Big(text) => {
                f.pad_integral(!self.is_negative(), "", text.trim_start_matches('-'))
            }
        }
    }
}

impl fmt::Debug for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a decimal integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIntError(());

impl fmt::Display for ParseIntError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not a decimal integer")
    }
}

impl std::error::Error for ParseIntError {}

impl FromStr for Int {
    type Err = ParseIntError;

    /// Reads an optional sign and decimal digits, of any length.
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        let digits = text.strip_prefix('-').unwrap_or(unsigned);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseIntError(()));
        }
        Ok(Self::from_decimal(unsigned))
    }
}

impl From<i64> for Int {
    fn from(small: i64) -> Self {
        Self(Repr::Small(small))
    }
}

macro_rules! fits_i64 {
    ($($type:ty)*) => {$(
        impl From<$type> for Int {
            fn from(small: $type) -> Self {
                Self(Repr::Small(i64::from(small)))
            }
        }
    )*};
}
fits_i64!(i8 i16 i32 u8 u16 u32);

macro_rules! may_exceed_i64 {
    ($($type:ty)*) => {$(
        impl From<$type> for Int {
            fn from(number: $type) -> Self {
                match i64::try_from(number) {
                    Ok(small) => Self(Repr::Small(small)),
                    Err(_) => Self(Repr::Big(number.to_string().into_boxed_str())),
                }
            }
        }
    )*};
}
may_exceed_i64!(u64 i128 u128 isize usize);

/// The integer does not fit the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfRange(());

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the integer does not fit the type")
    }
}

impl std::error::Error for OutOfRange {}

macro_rules! into_rust {
    ($($type:ty)*) => {$(
        impl TryFrom<&Int> for $type {
            type Error = OutOfRange;

            fn try_from(int: &Int) -> Result<Self, OutOfRange> {
                match &int.0 {
                    Repr::Small(small) => Self::try_from(*small).map_err(|_| OutOfRange(())),
                    Repr::Big(text) => text.parse().map_err(|_| OutOfRange(())),
                }
            }
        }
    )*};
}
into_rust!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str) -> Int {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_made_canonical() {
        for (text, canonical) in [
            ("-0", "0"),
            ("+007", "7"),
            ("-00000000000000000000009223372036854775808", "-9223372036854775808"),
            ("00009223372036854775808", "9223372036854775808"),
            ("-00000000000000000000000", "0"),
        ] {
            assert_eq!(int(text).to_string(), canonical, "{text}");
        }
        for bad in ["", "-", "+", "--1", "+-1", "1_0", " 1", "1.0", "٣"] {
            assert!(bad.parse::<Int>().is_err(), "{bad}");
        }
        assert_eq!(int("-9223372036854775808").as_i64(), Some(i64::MIN));
        assert_eq!(int("9223372036854775808").as_i64(), None);
    }

    #[test]
    fn adds_across_the_boundary() {
        for (start, add, sum) in [
            ("9223372036854775807", 1, "9223372036854775808"),
            ("9223372036854775808", -1, "9223372036854775807"),
            ("-9223372036854775808", -1, "-9223372036854775809"),
            ("-9223372036854775809", 1, "-9223372036854775808"),
            ("9223372036854775808", i64::MIN, "0"),
            ("-9223372036854775809", i64::MAX, "-2"),
            ("99999999999999999999", 1, "100000000000000000000"),
            ("100000000000000000000", -1, "99999999999999999999"),
            ("-99999999999999999999", i64::MIN, "-109223372036854775807"),
            ("10000000000000000000000", -10, "9999999999999999999990"),
        ] {
            assert_eq!(int(start).add_i64(add).to_string(), sum, "{start} + {add}");
        }
    }

    #[test]
    fn adds_as_i128_does() {
        let starts = [i128::from(i64::MAX), i128::from(i64::MIN), 1 << 64, -(1 << 64), 1 << 100];
        for start in starts {
            for step in [-1000, -1, 0, 1, 9, 1000, i64::MAX, i64::MIN] {
                for offset in -20..20 {
                    let start = start + offset;
                    let sum = Int::from(start).add_i64(step);
                    assert_eq!(sum, Int::from(start + i128::from(step)));
                }
            }
        }
    }

    #[test]
    fn orders_by_number() {
        let sorted = [
            "-100000000000000000000",
            "-99999999999999999999",
            "-9223372036854775809",
            "-1",
            "0",
            "2",
            "9223372036854775807",
            "9223372036854775808",
            "99999999999999999999",
            "100000000000000000000",
        ];
        assert!(sorted.map(int).is_sorted());
    }

    #[test]
    fn converts_to_rust() {
        let big = Int::from(u128::MAX);
        assert_eq!(u128::try_from(&big), Ok(u128::MAX));
        assert!(i128::try_from(&big).is_err());
        assert_eq!(u64::try_from(&Int::from(u64::MAX)), Ok(u64::MAX));
        assert!(u8::try_from(&Int::from(-1)).is_err());
        assert_eq!(int("9007199254740993").to_f64(), Some(9_007_199_254_740_992.0));
        assert_eq!(int(&"9".repeat(400)).to_f64(), None);
        assert_eq!(int("-10").digits(), 2);
        assert_eq!(int("0").digits(), 1);
    }
}
