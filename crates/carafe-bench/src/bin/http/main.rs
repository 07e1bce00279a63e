//! What a request costs over HTTP, beside other crates and Flask.
//!
//! `http report FILE SECONDS [PYTHON]` starts every server in a process of its own, on loopback, loads
//! them in turns and writes a report. `http serve NAME` is one of the servers: it prints its address,
//! and ends when its input does.

mod actix;
mod load;
mod report;
mod server;
mod servers;

use std::error::Error;

use report::Settings;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", name] if name.starts_with("actix") => actix::serve(name),
        ["serve", name] => servers::serve(name),
        ["report", file, seconds, python @ ..] => {
            let python = python.first().map(|python| (*python).to_owned());
            report::write(&Settings { file: file.into(), seconds: seconds.parse()?, python })
        }
        _ => Err("usage: http report FILE SECONDS [PYTHON] | http serve NAME".into()),
    }
}
