//! Text that stands where a key belongs: names of variables that nothing has replaced, and text
//! that asks to be changed.

/// The brackets around the name of a variable or a description, in templates of all kinds.
const BRACKETS: [(&str, &str); 14] = [
    ("${", "}"),
    ("$(", ")"),
    ("{{", "}}"),
    ("{%", "%}"),
    ("#{", "}"),
    ("<%", "%>"),
    ("<?", "?>"),
    ("<", ">"),
    ("{", "}"),
    ("[", "]"),
    ("(", ")"),
    ("%(", ")s"),
    ("%", "%"),
    ("@", "@"),
];

/// Beginnings of expressions of languages and deployments that read a key from elsewhere.
const EXPRESSIONS: [&str; 12] = [
    "os.environ",
    "os.getenv",
    "environ[",
    "environ.get",
    "getenv(",
    "process.env",
    "import.meta.env",
    "env(",
    "env.",
    "ENV[",
    "env!(",
    "std::env",
];

/// Parts that no random text contains by chance, whatever stands around them: compared with the
/// key's letters and digits alone, in lower case.
const ASKS: &[&str] = &[
    "actualkey",
    "actualsecret",
    "addyour",
    "atleast16",
    "atleast32",
    "atleast64",
    "bechanged",
    "changebefore",
    "changefor",
    "changeinprod",
    "changeit",
    "changeme",
    "changeonprod",
    "changeplease",
    "changesecret",
    "changethe",
    "changethis",
    "changeto",
    "changewhen",
    "changeyour",
    "default",
    "dontuse",
    "donotuse",
    "dummykey",
    "dummysecret",
    "enteryour",
    "example",
    "fakekey",
    "fakesecret",
    "fillmein",
    "fixmelater",
    "forbidden",
    "fordevelopment",
    "fordevonly",
    "fortesting",
    "generateyour",
    "generatea",
    "goeshere",
    "insecure",
    "inserta",
    "inserthere",
    "insertsecret",
    "insertyour",
    "keyhere",
    "makethis",
    "mustbechanged",
    "mustchange",
    "notasecret",
    "notforprod",
    "notsafe",
    "notsecret",
    "notsecure",
    "notsosecret",
    "notverysecret",
    "overrideme",
    "overridethis",
    "overwriteme",
    "pastehere",
    "pasteyour",
    "placeholder",
    "pleasechange",
    "putyour",
    "randomstring",
    "replacein",
    "replaceit",
    "replaceme",
    "replacethe",
    "replacethis",
    "replacewith",
    "replaceyour",
    "samplekey",
    "samplesecret",
    "secrethere",
    "setthis",
    "setyour",
    "somekey",
    "somerandom",
    "somesecret",
    "temporarykey",
    "tobechanged",
    "tobemodified",
    "tobereplaced",
    "tochange",
    "tokenhere",
    "toreplace",
    "typeyour",
    "unsafe",
    "useyour",
    "writeyour",
    "yourapikey",
    "yourapp",
    "yourjwt",
    "yourkey",
    "yourown",
    "yourpassword",
    "yourrandom",
    "yoursecret",
    "yoursecure",
    "yoursession",
    "yoursuper",
    "yourtoken",
    "yourvery",
];

/// Words that ask as well, but are so short that random text may contain them: they count where the
/// key is text as people write it.
const SHORT_ASKS: &[&str] = &[
    "change",
    "changed",
    "demo",
    "dummy",
    "fake",
    "fixme",
    "foobar",
    "lorem",
    "modify",
    "overwrite",
    "replace",
    "sample",
    "tbd",
    "temp",
    "tmp",
    "todo",
    "xxx",
    "xxxx",
    "your",
    "yours",
];

/// Whether the key is no key, but says that one has to be put here.
pub(super) fn is_placeholder(key: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(key) else { return false };
    let text = text.trim();
    is_variable(text) || is_expression(text) || is_bracketed(text) || asks(text)
}

/// Whether it is text as people write it, and calls itself a secret or a password.
pub(super) fn names_itself(key: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(key) else { return false };
    let squashed = squashed(text);
    is_wordy(text)
        && ["secret", "s3cret", "password", "passphrase"].iter().any(|name| squashed.contains(name))
}

/// `$SECRET_KEY`, and `__SECRET_KEY__`.
fn is_variable(text: &str) -> bool {
    let dollar = text.strip_prefix('$').is_some_and(|name| {
        !name.starts_with(|first: char| first.is_ascii_digit()) && is_name(name)
    });
    let underlined = text.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    dollar || underlined.is_some_and(is_name)
}

/// Upper or lower case throughout, so that it is no random text.
fn is_name(text: &str) -> bool {
    let mixed = text.contains(|c: char| c.is_ascii_lowercase())
        && text.contains(|c: char| c.is_ascii_uppercase());
    let digits = text.chars().filter(char::is_ascii_digit).count();
    !text.is_empty()
        && !mixed
        && digits * 5 <= text.len()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_expression(text: &str) -> bool {
    EXPRESSIONS.iter().any(|start| text.starts_with(start)) && is_wordy(text)
}

/// A description or a name in brackets.
fn is_bracketed(text: &str) -> bool {
    BRACKETS.iter().any(|(open, close)| {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner| {
            let allowed = |c: char| c.is_alphanumeric() || " _-.:/|,'\"=$()[]{}?;>&*".contains(c);
            inner.chars().all(allowed) && is_wordy(inner)
        })
    })
}

/// Whether this is text as people write it: few digits, and capitals at the beginning of words only.
fn is_wordy(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let changes = bytes
        .windows(2)
        .filter(|pair| {
            pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()
                || pair[0].is_ascii_alphabetic() && pair[1].is_ascii_digit()
                || pair[0].is_ascii_digit() && pair[1].is_ascii_alphabetic()
        })
        .count();
    digits * 5 <= bytes.len() && changes * 6 <= bytes.len()
}

/// Whether it asks to be changed.
fn asks(text: &str) -> bool {
    let squashed = squashed(text);
    if ASKS.iter().any(|part| squashed.contains(part)) {
        return true;
    }
    is_wordy(text) && words(text).iter().any(|word| SHORT_ASKS.contains(&word.as_str()))
}

/// Returns the letters and digits of a text, in lower case.
fn squashed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a text, in lower case: they end where letters end, and before a capital.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_alphabetic() || before.is_lowercase() && c.is_uppercase() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphabetic(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}
