//! Programs that the system has to have, and the package managers that bring them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::runner::{self, Runner};

/// A program, and what it is called by each package manager.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The executables of the program: any of them is enough.
    pub(crate) commands: &'static [&'static str],
    pub(crate) apt: &'static str,
    pub(crate) dnf: &'static str,
    pub(crate) pacman: &'static str,
    pub(crate) brew: &'static str,
}

impl Program {
    /// Returns the path of the program, if it is there.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        self.commands.iter().find_map(|command| find_command(command))
    }
}

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
}

impl Manager {
    pub(crate) const ALL: [Self; 4] = [Self::Apt, Self::Dnf, Self::Pacman, Self::Brew];

    /// The one of this machine.
    pub(crate) fn detect() -> Option<Self> {
        Self::ALL.into_iter().find(|manager| find_command(manager.command()).is_some())
    }

    fn command(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Brew => "brew",
        }
    }

    fn options(self) -> &'static str {
        match self {
            Self::Apt => "install -y --no-install-recommends",
            Self::Dnf => "install -y",
            Self::Pacman => "-S --needed --noconfirm",
            Self::Brew => "install",
        }
    }

    /// The packages that hold these programs, each once.
    fn packages(self, programs: &[&Program]) -> Vec<&'static str> {
        let mut packages = Vec::new();
        for program in programs {
            let names = match self {
                Self::Apt => program.apt,
                Self::Dnf => program.dnf,
                Self::Pacman => program.pacman,
                Self::Brew => program.brew,
            };
            for name in names.split_whitespace() {
                if !packages.contains(&name) {
                    packages.push(name);
                }
            }
        }
        packages
    }

    /// The line that a person types to install these programs.
    pub(crate) fn line(self, programs: &[&Program], root: bool) -> String {
        let sudo = if root || self == Self::Brew { "" } else { "sudo " };
        let packages = self.packages(programs).join(" ");
        format!("{sudo}{} {} {packages}", self.command(), self.options())
    }
}

/// Whether xtask runs as root.
pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether xtask may install packages itself: as root on Debian.
pub(crate) fn may_install() -> bool {
    Path::new("/etc/debian_version").exists()
        && Manager::detect() == Some(Manager::Apt)
        && is_root()
}

/// Installs programs with apt, those that can be had even if others can't.
pub(crate) fn install(runner: &mut Runner<'_>, programs: &[&Program]) -> Result<(), String> {
    // Old lists will often do, so that this alone is no reason to give up.
    if let Err(error) = runner.run(apt(&["update"])) {
        runner.say(&format!("xtask: going on although {error}"))?;
    }
    let mut result = install_all(runner, programs);
    if result.is_err() && programs.len() > 1 {
        result = Ok(());
        for program in programs {
            result = install_all(runner, &[program]).and(result);
        }
    }
    result
}

fn install_all(runner: &mut Runner<'_>, programs: &[&Program]) -> Result<(), String> {
    let mut command = apt(&Manager::Apt.options().split(' ').collect::<Vec<_>>());
    command.args(Manager::Apt.packages(programs));
    runner.run(command)
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = runner::command("apt-get");
    command.args(arguments);
    command.args(["-o", "DPkg::Lock::Timeout=120"]);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // In this runlevel no service is started that a package brings.
    command.env("RUNLEVEL", "1");
    command
}

/// Looks for an executable on the path, and where servers are that only root has there.
pub(crate) fn find_command(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let extra = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let folders = env::split_paths(&path).chain(extra).chain(versions_of_postgresql());
    folders.map(|folder| folder.join(name)).find(|file| is_executable(file))
}

/// Returns the folders where Debian puts PostgreSQL, the newest version first.
fn versions_of_postgresql() -> Vec<PathBuf> {
    let entries = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, folder)| folder).collect()
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    static FLASK: Program = Program {
        name: "flask",
        commands: &["no-such-command", "sh"],
        apt: "python3 python3-flask",
        dnf: "python3-flask",
        pacman: "python-flask",
        brew: "flask",
    };
    static PYTHON: Program = Program {
        name: "python3",
        commands: &["no-such-command"],
        apt: "python3",
        dnf: "python3",
        pacman: "python",
        brew: "python@3",
    };

    #[test]
    fn each_manager_has_its_own_line() {
        let lines = Manager::ALL.map(|manager| manager.line(&[&FLASK, &PYTHON], false));
        assert_eq!(
            lines,
            [
                "sudo apt-get install -y --no-install-recommends python3 python3-flask",
                "sudo dnf install -y python3-flask python3",
                "sudo pacman -S --needed --noconfirm python-flask python",
                "brew install flask python@3",
            ]
        );
        assert_eq!(Manager::Dnf.line(&[&PYTHON], true), "dnf install -y python3");
    }

    #[cfg(unix)]
    #[test]
    fn any_of_the_commands_will_do() {
        assert!(FLASK.find().is_some_and(|path| path.ends_with("sh")));
        assert_eq!(PYTHON.find(), None);
    }
}
