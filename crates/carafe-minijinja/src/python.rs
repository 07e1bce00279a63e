//! Values as Python prints them: `str(value)` and `repr(value)`.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::{Tuple, ValueKind};

use super::datetime::DateTimeObject;
use super::literal::{push_bytes, push_quoted};
use super::objects::{BytesObject, UuidObject};

/// Python's `str(value)`.
pub(super) fn to_str(value: &Value) -> String {
    let mut out = String::new();
    match value.kind() {
        ValueKind::String => out.push_str(value.as_str().unwrap_or_default()),
        _ => push_repr_or(&mut out, value, |out| out.push_str(&value.to_string())),
    }
    out
}

/// Appends Python's `repr(value)`.
pub(super) fn push_repr(out: &mut String, value: &Value) {
    match value.kind() {
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::String if value.is_safe() => {
            out.push_str("Markup(");
            push_quoted(out, value.as_str().unwrap_or_default());
            out.push(')');
        }
        ValueKind::String => push_quoted(out, value.as_str().unwrap_or_default()),
        _ => push_repr_or(out, value, |out| {
            if let Some(uuid) = value.downcast_object_ref::<UuidObject>() {
                uuid.push_repr(out);
            } else if let Some(time) = value.downcast_object_ref::<DateTimeObject>() {
                time.push_repr(out);
            } else {
                out.push_str(&value.to_string());
            }
        }),
    }
}

/// Appends a value that prints alike by itself and within a list; calls `other` for the rest.
fn push_repr_or(out: &mut String, value: &Value, other: impl FnOnce(&mut String)) {
    match value.kind() {
        ValueKind::Number if !value.is_integer() => match f64::try_from(value.clone()) {
            Ok(float) => push_float(out, float),
            Err(_) => other(out),
        },
        ValueKind::Bytes => push_bytes(out, value.as_bytes().unwrap_or_default()),
        ValueKind::Seq => {
            if let Some(bytes) = value.downcast_object_ref::<BytesObject>() {
                push_bytes(out, bytes.as_slice());
            } else if let Some(tuple) = value.downcast_object_ref::<Tuple>() {
                let end = if tuple.len() == 1 { ",)" } else { ")" };
                push_items(out, "(", tuple.iter(), end);
            } else if let Some(list) = value.downcast_object_ref::<Vec<Value>>() {
                push_items(out, "[", list.iter(), "]");
            } else {
                other(out);
            }
        }
        ValueKind::Map => match value.downcast_object_ref::<BTreeMap<Value, Value>>() {
            Some(map) => push_dict(out, map),
            None => other(out),
        },
        _ => other(out),
    }
}

/// Appends values between brackets.
pub(super) fn push_items<'a>(
    out: &mut String,
    open: &str,
    items: impl IntoIterator<Item = &'a Value>,
    close: &str,
) {
    out.push_str(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        push_repr(out, item);
    }
    out.push_str(close);
}

/// Appends a dict.
pub(super) fn push_dict<'a>(
    out: &mut String,
    pairs: impl IntoIterator<Item = (&'a Value, &'a Value)>,
) {
    out.push('{');
    for (index, (key, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        push_repr(out, key);
        out.push_str(": ");
        push_repr(out, value);
    }
    out.push('}');
}

fn push_float(out: &mut String, float: f64) {
    if float.is_nan() {
        out.push_str("nan");
    } else if float.is_infinite() {
        out.push_str(if float < 0.0 { "-inf" } else { "inf" });
    } else {
        // Python's JSON has the floats that can be spelled as `repr` has them.
        out.push_str(&carafe::value::Value::Float(float).to_tagged_json().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repr(value: impl Into<Value>) -> String {
        let mut out = String::new();
        push_repr(&mut out, &value.into());
        out
    }

    #[test]
    fn texts_are_quoted_as_in_python() {
        for (text, expected) in [
            ("", "''"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("a\\\n\r\t\0\x1b\x7f", "'a\\\\\\n\\r\\t\\x00\\x1b\\x7f'"),
            ("é☃😀", "'é☃😀'"),
            ("e\u{301}", "'e\u{301}'"),
            ("\u{301}", "'\u{301}'"),
            ("\u{a0}\u{ad}\u{85}", "'\\xa0\\xad\\x85'"),
            ("\u{200b}\u{2028}\u{3000}\u{e000}\u{ffff}", "'\\u200b\\u2028\\u3000\\ue000\\uffff'"),
            ("\u{e0001}\u{10ffff}", "'\\U000e0001\\U0010ffff'"),
        ] {
            assert_eq!(repr(text), expected);
        }
    }

    #[test]
    fn bytes_are_quoted_as_in_python() {
        assert_eq!(repr(&b"a'\"\\\n\x00\x7f\xff"[..]), r#"b'a\'"\\\n\x00\x7f\xff'"#);
        assert_eq!(repr(&b"it's"[..]), r#"b"it's""#);
    }

    #[test]
    fn numbers_are_pythons() {
        for (value, expected) in [
            (Value::from(1.0), "1.0"),
            (Value::from(1e16), "1e+16"),
            (Value::from(1e-5), "1e-05"),
            (Value::from(f64::NAN), "nan"),
            (Value::from(f64::NEG_INFINITY), "-inf"),
            (Value::from(i128::MIN), "-170141183460469231731687303715884105728"),
            (Value::from(true), "True"),
            (Value::from(()), "None"),
        ] {
            assert_eq!(to_str(&value), expected);
            assert_eq!(repr(value), expected);
        }
    }

    #[test]
    fn what_templates_make_is_printed_alike() {
        let one = Tuple::from([Value::from(1.5e300)]);
        let list = Value::from(vec![Value::from(one), Value::from("a"), Value::from(f64::NAN)]);
        assert_eq!(to_str(&list), "[(1.5e+300,), 'a', nan]");
        let map = BTreeMap::from([(Value::from("k"), Value::from_safe_string("<b>".to_owned()))]);
        assert_eq!(to_str(&Value::from(map)), "{'k': Markup('<b>')}");
        assert_eq!(to_str(&Value::UNDEFINED), "");
    }
}
