//! A server in a process of its own.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
";

/// A server that runs. Dropped, it is ended.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts this program as one of its servers, in a folder for its files.
    pub(crate) fn start(name: &str, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .current_dir(folder);
        let mut child = command.spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(|_| format!("{name} doesn't start"))?;
        Ok(Self { child, address })
    }

    /// Starts Flask under gunicorn: one worker with threads, the only kind that keeps connections.
    pub(crate) fn start_flask(python: &str, folder: &Path) -> Result<Self, Box<dyn Error>> {
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
