//! A server in a process of its own.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use carafe_bench::application::THREADS;

use crate::arguments::Settings;
use crate::catalogue::{Entry, Program};
use crate::cpu;

/// The application that gunicorn serves.
const FLASK: &str = "
from flask import Flask, session
app = Flask(__name__)
app.secret_key = '8b1f0c6e5a7d4932b6e0f1a2c3d4e5f6'

@app.get('/session')
def read():
    return session.get('username', '')

@app.post('/login')
def login():
    session['username'] = 'admin'
    return 'Hello'

@app.post('/visit')
def visit():
    session['visits'] = session.get('visits', 0) + 1
    return str(session['visits'])
";

/// A server that runs. Dropped, it is ended.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server with so many threads, if it is in Rust, in a folder for its files.
    pub(crate) fn start(
        entry: &Entry,
        threads: usize,
        settings: &Settings,
        folder: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let this = std::env::current_exe()?;
        let mut command = match entry.program {
            Program::Flask => {
                let python = settings.python.as_deref().ok_or("there is no Python")?;
                return Self::start_flask(python, folder);
            }
            Program::This => {
                let mut command = Command::new(this);
                command.args(["serve", entry.name]);
                command
            }
            Program::Other(name, argument) => {
                let mut command = Command::new(this.with_file_name(name));
                command.args(Some(argument).filter(|argument| !argument.is_empty()));
                command
            }
        };
        command.env(THREADS, threads.to_string());
        Self::start_command(command, folder)
            .map_err(|error| format!("{} doesn't start: {error}", entry.name).into())
    }

    /// Starts a server that prints its address.
    fn start_command(mut command: Command, folder: &Path) -> Result<Self, Box<dyn Error>> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir(folder);
        let mut child = command.spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        Ok(Self { child, address: line.trim().parse()? })
    }

    /// Starts Flask under gunicorn: one worker with threads, the only kind that keeps connections.
    fn start_flask(python: &str, folder: &Path) -> Result<Self, Box<dyn Error>> {
        fs::write(folder.join("app.py"), FLASK)?;
        // A port that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(python);
        command.args(["-m", "gunicorn", "--worker-class", "gthread", "--threads", "4"]);
        command.args(["--log-level", "error", "--bind", &address.to_string(), "app:app"]);
        let mut server = Self { child: command.current_dir(folder).spawn()?, address };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline || server.child.try_wait()?.is_some() {
                return Err("gunicorn doesn't start".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// The processor time that the server and its children have used so far.
    pub(crate) fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        cpu::used(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ours end with their input, gunicorn by being asked to.
        drop(self.child.stdin.take());
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
