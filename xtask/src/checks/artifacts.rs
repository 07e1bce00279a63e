//! The programs that cargo has built, by its messages.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::job::Job;
use crate::workspace::is_example;

/// Builds an example as `cargo run --example NAME` does from the workspace's root. The folder
/// matters: cargo unites the features of all packages of the workspace.
pub(crate) fn build_example(job: &mut Job<'_>, name: &str) -> Result<Built, String> {
    if !job.workspace.has_example(name) {
        return Err(format!("the workspace has no example `{name}`"));
    }
    let messages = "--message-format=json-render-diagnostics";
    let command = job.cargo(&["build", "--example", name, messages]);
    let messages = job.runner.capture(command)?;
    Built::parse(&messages, name)
        .ok_or_else(|| format!("cargo did not say where it put the example `{name}`"))
}

/// An example that was built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) executable: PathBuf,
    /// All packages that went into it, itself and the packages of build scripts and macros among
    /// them.
    pub(crate) packages: BTreeSet<String>,
}

impl Built {
    fn parse(messages: &str, example: &str) -> Option<Self> {
        let (mut executable, mut packages) = (None, BTreeSet::new());
        for line in messages.lines() {
            let Ok(message) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            if message.get("reason").is_none_or(|reason| reason != "compiler-artifact") {
                continue;
            }
            packages.insert(message.get("package_id")?.as_str()?.to_owned());
            let target = message.get("target")?;
            if is_example(target) && target.get("name")? == example {
                executable = message.get("executable")?.as_str().map(PathBuf::from);
            }
        }
        Some(Self { executable: executable?, packages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn artifact(package: &str, kind: &str, executable: Option<&str>) -> String {
        let name = package.split('@').next().unwrap();
        json!({
            "reason": "compiler-artifact",
            "package_id": package,
            "target": {"name": name, "kind": [kind]},
            "executable": executable,
        })
        .to_string()
    }

    #[test]
    fn packages_count_once_however_many_targets_they_have() {
        let messages = [
            artifact("http@1.0.0", "lib", None),
            artifact("syn@2.0.0", "custom-build", Some("/t/build/syn")),
            artifact("syn@2.0.0", "lib", None),
            "text that a build printed".to_owned(),
            artifact("login@0.1.0", "example", Some("/t/examples/login")),
            json!({"reason": "build-finished", "success": true}).to_string(),
        ];
        let built = Built::parse(&messages.join("\n"), "login").unwrap();
        assert_eq!(built.executable, PathBuf::from("/t/examples/login"));
        assert_eq!(built.packages.len(), 3);
    }

    #[test]
    fn without_the_executable_there_is_no_example() {
        let messages =
            [artifact("login@0.1.0", "lib", None), artifact("twin@0.1.0", "example", None)];
        assert_eq!(Built::parse(&messages.join("\n"), "login"), None);
        assert_eq!(Built::parse(&messages.join("\n"), "twin"), None);
    }
}
