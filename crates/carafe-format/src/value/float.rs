//! Floats as Python writes them.

/// Appends Python's `repr` of a float, with `NaN` and `Infinity` as its JSON writer spells them.
pub(crate) fn write_float(out: &mut Vec<u8>, float: f64) {
    if float.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if float.is_sign_negative() {
        out.push(b'-');
    }
    if float.is_infinite() {
        return out.extend_from_slice(b"Infinity");
    }
    if float == 0.0 {
        return out.extend_from_slice(b"0.0");
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(float.abs());
    // In this range Python and Rust use plain notation, and write it alike.
    if (1e-4..1e16).contains(&float.abs()) {
        return out.extend_from_slice(text.as_bytes());
    }
    let (digits, point) = decompose(text);
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    let exponent = point - 1;
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    if exponent.abs() < 10 {
        out.push(b'0');
    }
    out.extend_from_slice(itoa::Buffer::new().format(exponent.abs()).as_bytes());
}

/// The significant digits of a positive number as `zmij` prints it, and where its point stands:
/// the number is `0.DIGITS` times ten to that power.
fn decompose(text: &str) -> (smallvec::SmallVec<[u8; 24]>, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut point = whole.len() as i32 + exponent.parse::<i32>().unwrap_or_default();
    let mut digits = smallvec::SmallVec::new();
    for digit in whole.bytes().chain(fraction.bytes()) {
        if digits.is_empty() && digit == b'0' {
            point -= 1;
        } else {
            digits.push(digit);
        }
    }
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    (digits, point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_python_does() {
        for (float, repr) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (12_345_678_901_234_567.0, "1.2345678901234568e+16"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (0.00001, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (2f64.powi(-44), "5.684341886080802e-14"),
            (123.456, "123.456"),
            (100.0, "100.0"),
            (f64::NAN, "NaN"),
            (-f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = Vec::new();
            write_float(&mut out, float);
            assert_eq!(String::from_utf8(out).unwrap(), repr);
        }
    }
}
