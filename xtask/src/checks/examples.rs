//! Examples in the documentation: each public function has one, since an application may call it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::job::Job;

/// The folders whose public functions applications call.
const FOLDERS: [&str; 8] = [
    "crates/carafe/src",
    "crates/carafe-format/src/signing",
    "crates/carafe-format/src/value",
    "crates/carafe-minijinja/src",
    "crates/carafe-postgres/src",
    "crates/carafe-redis/src",
    "crates/carafe-sessions-page/src",
    "crates/carafe-sqlite/src",
];

/// Functions without an example of their own, by the end of their file's path, and why.
const EXCEPTIONS: [(&str, &[&str], &str); 6] = [
    (
        "actix/response.rs",
        &["http_response"],
        "the example of its counterpart `http_request` shows it",
    ),
    (
        "carafe/src/store/notice.rs",
        &["next", "send", "tell", "watch"],
        "stores alone call them: the examples of `Notices::channel` and `NoticeBoard` show them",
    ),
    (
        "value/json/payload.rs",
        &["parse", "len", "is_empty", "contains", "position", "get", "stored", "keys", "entry"],
        "`Session` is what applications read a payload by",
    ),
    ("value/json/writer.rs", &["write_session"], "`Session` is what applications write one by"),
    ("value/serde/fields.rs", &["read_fields"], "`Typed` is what applications read fields by"),
    (
        "value/serde/marked.rs",
        &["serialize", "deserialize"],
        "serde's derive calls them: the examples of their modules show how",
    ),
];

/// A public function.
#[derive(Debug, PartialEq)]
struct Function<'a> {
    line: usize,
    name: &'a str,
    has_example: bool,
}

/// Fails if a public function has no example, or an exception has no function.
pub(crate) fn examples(job: &mut Job<'_>) -> Result<(), String> {
    let root = job.workspace.root.clone();
    let (mut all, mut missing, mut excepted) = (0, Vec::new(), Vec::new());
    for path in sources(&root)? {
        let text = fs::read_to_string(root.join(&path))
            .map_err(|error| format!("can't read {}: {error}", path.display()))?;
        for function in functions(&text) {
            all += 1;
            match exception(&path, function.name) {
                _ if function.has_example => {}
                Some(exception) => excepted.push(exception),
                None => missing.push(format!(
                    "{}:{}: `{}` has no example",
                    path.display(),
                    function.line,
                    function.name
                )),
            }
        }
    }
    for line in &missing {
        job.runner.say(line)?;
    }
    if let Some(first) = missing.first() {
        return Err(format!("{first}, and {} more", missing.len() - 1));
    }
    check_exceptions(&excepted)?;
    let with = all - excepted.len();
    job.note(format!("examples: {with} of {all} functions, {} exceptions", excepted.len()));
    Ok(())
}

/// The source files below the folders, by their paths from the root.
fn sources(root: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut folders) = (Vec::new(), FOLDERS.map(PathBuf::from).to_vec());
    while let Some(folder) = folders.pop() {
        let unreadable = |error| format!("can't read {}: {error}", folder.display());
        for entry in fs::read_dir(root.join(&folder)).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = folder.join(entry.file_name());
            if entry.file_type().map_err(unreadable)?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The public functions of a source file, up to its tests. What is hidden from the documentation
/// doesn't count.
fn functions(text: &str) -> Vec<Function<'_>> {
    let (mut found, mut has_example, mut is_hidden) = (Vec::new(), false, false);
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if line.starts_with("mod tests") {
            break;
        }
        if let Some(comment) = code.strip_prefix("///") {
            has_example |= comment.trim_start().starts_with("```");
        } else if code.starts_with("#[") {
            is_hidden |= code.starts_with("#[doc(hidden)]");
        } else if !code.starts_with("//") {
            if let Some(name) = function_name(code).filter(|_| !is_hidden) {
                found.push(Function { line: index + 1, name, has_example });
            }
            (has_example, is_hidden) = (false, false);
        }
    }
    found
}

/// The name of the public function that a line begins.
fn function_name(code: &str) -> Option<&str> {
    let mut rest = code.strip_prefix("pub ")?;
    while let Some(after) = ["const ", "async "].iter().find_map(|word| rest.strip_prefix(word)) {
        rest = after;
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

fn exception(path: &Path, name: &str) -> Option<(&'static str, &'static str)> {
    let mut all = EXCEPTIONS.iter().filter(|(file, ..)| path.ends_with(file));
    all.find_map(|(file, names, _)| Some((*file, *names.iter().find(|known| **known == name)?)))
}

/// An exception that no function needs is left over from one that was removed or has an example now.
fn check_exceptions(used: &[(&str, &str)]) -> Result<(), String> {
    for (file, names, _) in EXCEPTIONS {
        if let Some(name) = names.iter().find(|name| !used.contains(&(file, **name))) {
            return Err(format!("`{name}` of {file} needs no exception from having an example"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_a_block_in_the_function_s_own_documentation() {
        let text = "/// A.\n///\n/// ```\n/// a();\n/// ```\n#[must_use]\npub fn a() {}\n\n\
                    impl B {\n    /// B.\n    pub const fn b<T>(&self) {}\n    fn c() {}\n\
                    \x20   pub(crate) fn d() {}\n    #[doc(hidden)]\n    pub async fn e() {}\n}\n\
                    mod tests {\n    pub fn f() {}\n}\n";
        let expected = [
            Function { line: 7, name: "a", has_example: true },
            Function { line: 11, name: "b", has_example: false },
        ];
        assert_eq!(functions(text), expected);
    }
}
