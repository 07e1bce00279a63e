//! Programs that cargo installs.

use std::path::PathBuf;

use crate::job::Job;
use crate::system::find_command;

/// Returns the installed program of this name, or else one in the target folder.
pub(crate) fn cargo_tool(job: &mut Job<'_>, name: &str) -> Result<PathBuf, String> {
    let folder = job.workspace.target.join("tools");
    let own = folder.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if let Some(installed) = find_command(name) {
        return Ok(installed);
    }
    if !own.is_file() {
        let mut install = job.cargo(&["install", "--locked", name, "--root"]);
        install.arg(folder);
        job.runner.run(install)?;
    }
    Ok(own)
}
