//! The workspace, as cargo describes it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The workspace that xtask was started in.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace, or one that it depends on.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it may go to a registry.
    pub(crate) published: bool,
    pub(crate) features: Vec<String>,
    pub(crate) examples: Vec<String>,
    /// The oldest Rust that it says it builds with, such as `1.89`.
    pub(crate) rust_version: Option<String>,
    /// Whether it links a library that isn't Rust's.
    pub(crate) links: bool,
    /// Whether other packages can depend on it.
    pub(crate) is_library: bool,
    /// Returns the fields that a registry shows of a package, and that this one's manifest leaves
    /// out.
    pub(crate) unset: Vec<&'static str>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> Result<Self, String> {
        let metadata = metadata(&["--no-deps"])?;
        let path = |key: &str| {
            let text = metadata.get(key).and_then(Value::as_str);
            text.map(PathBuf::from).ok_or_else(|| format!("cargo metadata has no `{key}`"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
            packages: packages(&metadata),
        })
    }

    /// Returns the folder for xtask's logs, its Python environment and its scratch files.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// Whether `cargo run --example NAME` has something to run.
    pub(crate) fn has_example(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.examples.iter().any(|other| other == name))
    }

    /// The packages that are meant for a registry.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published)
    }
}

/// The cargo that started xtask, or the one on the path.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Every package of the workspace's lock file that is used in some way.
pub(crate) fn all_packages() -> Result<Vec<Package>, String> {
    metadata(&["--all-features", "--locked"]).map(|metadata| packages(&metadata))
}

fn metadata(options: &[&str]) -> Result<Value, String> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version=1"])
        .args(options)
        .output()
        .map_err(|error| format!("can't start cargo: {error}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo metadata failed: {}", reason.trim()));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata is not readable: {error}"))
}

fn packages(metadata: &Value) -> Vec<Package> {
    let packages = metadata.get("packages").and_then(Value::as_array);
    packages.into_iter().flatten().filter_map(package).collect()
}

fn package(value: &Value) -> Option<Package> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let targets = value.get("targets").and_then(Value::as_array);
    let examples = targets.into_iter().flatten().filter(|target| is_example(target));
    let features = value.get("features").and_then(Value::as_object);
    Some(Package {
        name: text("name")?,
        version: text("version")?,
        // `publish = false` is an empty list of registries.
        published: !value.get("publish")?.as_array().is_some_and(Vec::is_empty),
        features: features.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
        examples: examples
            .filter_map(|target| target.get("name")?.as_str())
            .map(str::to_owned)
            .collect(),
        rust_version: text("rust_version"),
        links: value.get("links").is_some_and(|links| !links.is_null()),
        is_library: has_target(value, "lib"),
        unset: unset(value),
    })
}

fn has_target(package: &Value, kind: &str) -> bool {
    let targets = package.get("targets").and_then(Value::as_array).into_iter().flatten();
    targets.filter_map(|target| target.get("kind")?.as_array()).flatten().any(|is| is == kind)
}

/// The fields that a registry and docs.rs show, and that are missing or empty.
fn unset(package: &Value) -> Vec<&'static str> {
    let is_set = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    let fields = ["description", "license", "readme", "repository", "keywords", "categories"];
    let missing = fields.into_iter().filter(|field| !package.get(*field).is_some_and(is_set));
    let docs = package.pointer("/metadata/docs/rs/all-features");
    let docs = (docs != Some(&Value::Bool(true))).then_some("package.metadata.docs.rs");
    missing.chain(docs).collect()
}

/// Whether a target of `cargo metadata`, or of an artifact, is an example.
pub(crate) fn is_example(target: &Value) -> bool {
    let kinds = target.get("kind").and_then(Value::as_array);
    kinds.into_iter().flatten().any(|kind| kind == "example")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn packages_are_read_from_metadata() {
        let packages = packages(&json!({"packages": [
            {
                "name": "login", "version": "0.1.0", "publish": [], "features": {},
                "rust_version": null,
                "targets": [
                    {"name": "login", "kind": ["example"]},
                    {"name": "greets", "kind": ["test"]},
                ],
            },
            {
                "name": "carafe", "version": "0.1.0", "publish": null, "rust_version": "1.89",
                "features": {"default": ["axum"], "axum": []}, "links": "glass",
                "description": "Sessions", "license": "MIT", "readme": "README.md",
                "repository": "", "keywords": ["session"], "categories": ["authentication"],
                "metadata": {"docs": {"rs": {"all-features": true}}},
                "targets": [{"name": "carafe", "kind": ["lib"]}],
            },
        ]}));
        let [login, carafe] = packages.as_slice() else {
            panic!("{packages:?}");
        };
        assert!(!login.published && carafe.published);
        assert_eq!(login.examples, ["login"]);
        assert_eq!(carafe.features, ["axum", "default"]);
        assert_eq!(carafe.rust_version.as_deref(), Some("1.89"));
        assert!(carafe.links && !login.links);
        assert!(carafe.is_library && !login.is_library);
        assert_eq!(carafe.unset, ["repository"]);
        assert_eq!(login.unset.len(), 7);
    }
}
