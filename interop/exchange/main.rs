//! Signs and verifies sessions for `interop/exchange.py`: a JSON object a line in, one a line out.
#![forbid(unsafe_code)]

use std::io::{BufRead as _, Write as _};

use carafe::config::Compression;
use carafe::format::Error;
use carafe::signing::{Digest, KeyDerivation, SigningOptions, UrlSafeTimedSerializer};
use carafe::value::{Dict, Value};
use carafe::{KeyRing, SecretKey};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let Value::Dict(request) = Value::from_tagged_json(line?.as_bytes())? else {
            return Err("a request must be a JSON object".into());
        };
        let mut answer = match answer(&request)? {
            Ok((name, text)) => {
                Dict::from_iter([("ok", Value::from(true)), (name, Value::from(text))])
            }
            Err(error) => Dict::from_iter([("kind", Value::from(format!("{:?}", error.kind())))]),
        };
        if answer.get("ok").is_none() {
            answer.insert("ok", false);
        }
        writeln!(out, "{}", Value::Dict(answer).to_tagged_json()?)?;
        out.flush()?;
    }
    Ok(())
}

/// The outer error is a malformed request; the inner one is what the library says.
fn answer(request: &Dict) -> Result<Result<(&'static str, String), Error>, Failure> {
    let text = |name: &str| {
        let value = request.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("{name} must be a text"))
    };
    let number = |name: &str| {
        let value = request.get(name).and_then(Value::as_i64);
        value.and_then(|n| u64::try_from(n).ok()).ok_or_else(|| format!("{name} must be a time"))
    };
    let Some(Value::List(secrets)) = request.get("secrets_hex") else {
        return Err("secrets_hex must be a list".into());
    };
    let mut keys = Vec::new();
    for secret in secrets {
        keys.push(SecretKey::new(unhex(secret.as_str().ok_or("a secret must be a text")?)?)?);
    }
    let current = keys.pop().ok_or("there must be a secret")?;
    let options = SigningOptions::default()
        .salt(unhex(text("salt_hex")?)?)
        .digest(text("digest")?.parse::<Digest>()?)
        .key_derivation(text("key_derivation")?.parse::<KeyDerivation>()?);
    let compress = request.get("compress") != Some(&Value::Bool(false));
    let serializer = UrlSafeTimedSerializer::new(&KeyRing::from_flask(current, keys), &options)
        .compression(if compress { Compression::Flask } else { Compression::Never });
    match text("op")? {
        "sign" => {
            let value = Value::from_tagged_json(&unhex(text("tagged_json_hex")?)?)?;
            Ok(serializer.dumps(&value, number("now")?).map(|cookie| ("cookie", cookie)))
        }
        "verify" => {
            let max_age = match request.get("max_age") {
                None | Some(Value::Null) => None,
                Some(_) => Some(number("max_age")?),
            };
            let value = serializer.loads(text("cookie")?.as_bytes(), max_age, number("now")?);
            let json = value.and_then(|value| value.to_tagged_json());
            Ok(json.map(|json| ("tagged_json_hex", hex(json.as_bytes()))))
        }
        other => Err(format!("there is no operation {other}").into()),
    }
}

fn unhex(digits: &str) -> Result<Vec<u8>, Failure> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err("hexadecimal digits come in pairs".into());
    }
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
