use redis::Cmd;
use sha1::{Digest as _, Sha1};

/// A Lua script. Each touches one key alone, so that it runs on any node of a Cluster.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    sha: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        let sha = Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { text, sha }
    }

    /// Returns the command that runs the script by its hash, if the server has it already.
    pub(crate) fn by_hash(&self, key: &[u8], arguments: &[&[u8]]) -> Cmd {
        command("EVALSHA", &self.sha, key, arguments)
    }

    /// Returns the command that runs the script by its text. After it the server has the script.
    pub(crate) fn by_text(&self, key: &[u8], arguments: &[&[u8]]) -> Cmd {
        command("EVAL", self.text, key, arguments)
    }
}

fn command(name: &str, script: &str, key: &[u8], arguments: &[&[u8]]) -> Cmd {
    // Room for all parts at once.
    let length = name.len() + script.len() + 1 + key.len();
    let length = length + arguments.iter().map(|argument| argument.len()).sum::<usize>();
    let mut command = Cmd::with_capacity(4 + arguments.len(), length);
    command.arg(name).arg(script).arg(1).arg(key).arg(arguments);
    command
}

/// All scripts.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) update: Script,
    pub(crate) delete: Script,
    pub(crate) index: Script,
    pub(crate) revoke: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            update: Script::new(include_str!("scripts/update.lua")),
            delete: Script::new(include_str!("scripts/delete.lua")),
            index: Script::new(include_str!("scripts/index.lua")),
            revoke: Script::new(include_str!("scripts/revoke.lua")),
        }
    }
}
