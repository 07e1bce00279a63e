//! The files of the corpus: a line for each input, with its bytes in hexadecimal digits. Behind a space
//! may stand what the input is.

use std::collections::BTreeMap;

/// The inputs in the text of such a file.
///
/// # Errors
///
/// Names the first line that is not hexadecimal.
pub fn inputs(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let inputs = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    inputs
        .map(|(line, number)| {
            from_hex(digits(line)).ok_or_else(|| format!("line {number} is not hexadecimal"))
        })
        .collect()
}

/// The text of such a file with more inputs: each stands once, in the order of the bytes.
#[must_use]
pub fn with(text: &str, inputs: &[Vec<u8>]) -> String {
    let added: Vec<String> = inputs.iter().map(|input| to_hex(input)).collect();
    let mut lines: BTreeMap<&str, &str> =
        added.iter().map(|line| (line.as_str(), line.as_str())).collect();
    // Lines that were there replace the added ones, since they may say what the input is.
    lines.extend(text.lines().map(|line| (digits(line), line)));
    lines.remove("");
    lines.values().flat_map(|line| [line, "\n"]).collect()
}

fn digits(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, rest) = digits.as_bytes().as_chunks();
    let byte = |&[high, low]: &[u8; 2]| u8::try_from(value(high)? * 16 + value(low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_read_as_they_were_written() {
        let all = [b"\0\xff".to_vec(), b"z \n".to_vec()];
        let text = with("7b7d the empty session\n", &all);
        assert_eq!(text, "00ff\n7a200a\n7b7d the empty session\n");
        assert_eq!(inputs(&text).unwrap(), [b"\0\xff".to_vec(), b"z \n".to_vec(), b"{}".to_vec()]);
        assert_eq!(with(&text, &inputs(&text).unwrap()), text);
    }

    #[test]
    fn what_is_not_hexadecimal_is_named_by_its_line() {
        for bad in ["00\n\nzz\n", "00\n\n123\n", "00\n\n\u{e9}\n"] {
            assert_eq!(inputs(bad).unwrap_err(), "line 3 is not hexadecimal");
        }
    }
}
