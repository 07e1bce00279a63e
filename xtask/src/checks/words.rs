//! Words that the project's texts do without, since they hide the actor or the thing: a comment, a
//! document or a message says the client, another request, the caller, the store.

use std::fs;
use std::path::{Path, PathBuf};

use crate::job::Job;

/// The words and phrases, in lower case.
const WORDS: [&str; 11] = [
    "anybody",
    "everybody",
    "nobody",
    "somebody",
    "whoever",
    "how many it were",
    "less types",
    "those of",
    "usual way",
    "what is to be",
    "who leaves",
];

/// The areas of the source, and the number of these words that each may still have. The numbers
/// only ever go down. Documents may have none.
const MOST: [(&str, usize); 15] = [
    ("crates/carafe/src", 0),
    ("crates/carafe/tests", 0),
    ("crates/carafe-bench", 0),
    ("crates/carafe-cli", 2),
    ("crates/carafe-format", 0),
    ("crates/carafe-minijinja", 0),
    ("crates/carafe-postgres", 0),
    ("crates/carafe-redis", 0),
    ("crates/carafe-sessions-page", 0),
    ("crates/carafe-sqlite", 0),
    ("crates/carafe-store-tests", 0),
    ("examples", 0),
    ("fuzz", 0),
    ("interop", 4),
    ("xtask", 2),
];

/// The endings of files that are searched.
const SOURCES: [&str; 3] = ["rs", "py", "toml"];
/// This file names the words.
const THIS_FILE: &str = "xtask/src/checks/words.rs";
/// Blocks of documents that show what a program prints, or another text.
const QUOTES: [&str; 3] = ["```console", "```diff", "```text"];

/// Fails if a document has one of the words, or an area of the source more of them than it may.
pub(crate) fn words(job: &mut Job<'_>) -> Result<(), String> {
    let root = job.workspace.root.clone();
    let mut counts = MOST.map(|(area, most)| (area, most, 0));
    let (mut elsewhere, mut documents) = (Vec::new(), Vec::new());
    for path in files(&root)? {
        let text = fs::read_to_string(root.join(&path))
            .map_err(|error| format!("can't read {}: {error}", path.display()))?;
        let name = path.to_string_lossy().replace('\\', "/");
        if name.ends_with(".md") {
            documents.extend(
                found(&without_quotes(&text))
                    .map(|(line, word)| format!("{name}:{line} has \"{word}\"")),
            );
            continue;
        }
        let hits = found(&text).map(|(line, word)| format!("{name}:{line} has \"{word}\""));
        match counts.iter_mut().find(|(area, ..)| is_below(&name, area)) {
            Some((_, _, count)) => *count += hits.count(),
            None => elsewhere.extend(hits),
        }
    }
    judge(job, &counts, &[documents, elsewhere].concat())
}

fn judge(
    job: &mut Job<'_>,
    counts: &[(&str, usize, usize)],
    strict: &[String],
) -> Result<(), String> {
    for hit in strict {
        job.runner.say(hit)?;
    }
    let (mut all, mut most_of_all) = (0, 0);
    for (area, most, count) in counts {
        job.runner.say(&format!("{area}: {count} vague words, at most {most}"))?;
        all += count;
        most_of_all += most;
    }
    if let Some(hit) = strict.first() {
        return Err(format!("{hit}, and {} more: name the actor or the thing", strict.len() - 1));
    }
    if let Some((area, most, count)) = counts.iter().find(|(_, most, count)| count > most) {
        return Err(format!(
            "{area} has {count} of the words that {THIS_FILE} lists, and at most {most} are \
             allowed: name the actor or the thing"
        ));
    }
    job.note(format!("vague words: 0 in documents, {all} of at most {most_of_all} in sources"));
    Ok(())
}

/// The sources and documents of the repository, by their paths from its root.
fn files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        let unreadable = |error| format!("can't read {}: {error}", folder.display());
        for entry in fs::read_dir(root.join(&folder)).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (name, kind) = (entry.file_name(), entry.file_type().map_err(unreadable)?);
            let path = folder.join(&name);
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if kind.is_dir() {
                let name = name.to_string_lossy();
                if !name.starts_with('.') && name != "target" && name != "corpus" {
                    folders.push(path);
                }
            } else if kind.is_file()
                && (ending == "md" || SOURCES.contains(&ending))
                && path != Path::new(THIS_FILE)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_below(name: &str, area: &str) -> bool {
    name.strip_prefix(area).is_some_and(|rest| rest.starts_with('/'))
}

/// A document whose quoted blocks are empty lines.
fn without_quotes(text: &str) -> String {
    let mut is_quote = false;
    let lines = text.lines().map(|line| match is_quote {
        false => {
            is_quote = QUOTES.iter().any(|quote| line.starts_with(quote));
            line
        }
        true => {
            is_quote = !line.starts_with("```");
            ""
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The words in a text, with the numbers of their lines.
fn found(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    text.lines().enumerate().flat_map(|(number, line)| {
        let line = line.to_lowercase();
        let hits: Vec<_> = WORDS
            .iter()
            .flat_map(|word| {
                line.match_indices(word)
                    .filter(|(at, _)| is_whole(&line, *at, word.len()))
                    .map(|_| (number + 1, *word))
                    .collect::<Vec<_>>()
            })
            .collect();
        hits
    })
}

/// Whether no letter, digit or `_` touches the word.
fn is_whole(line: &str, at: usize, length: usize) -> bool {
    let touches = |char: char| char.is_alphanumeric() || char == '_';
    !line[..at].ends_with(touches) && !line[at + length..].starts_with(touches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_count_once_each() {
        let text =
            "// Nobody knows.\nfn nobody_knows() {}\nlet x = nobody(); // those of whoever\n";
        let expected = [(1, "nobody"), (3, "nobody"), (3, "whoever"), (3, "those of")];
        assert_eq!(found(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_a_document_quotes_does_not_count() {
        let text = "a\n```console\n$ nobody\n```\nnobody\n```rust\n// nobody\n```\n";
        let hits = found(&without_quotes(text)).collect::<Vec<_>>();
        assert_eq!(hits, [(5, "nobody"), (7, "nobody")]);
    }

    #[test]
    fn areas_are_folders() {
        assert!(is_below("crates/carafe/src/lib.rs", "crates/carafe/src"));
        assert!(!is_below("crates/carafe-format/src/lib.rs", "crates/carafe"));
    }
}
