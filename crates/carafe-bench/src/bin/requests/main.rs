//! The cost of a request over HTTP, beside other crates and Flask.
//!
//! `requests report` starts every server in a process of its own, on loopback, loads them in turns and
//! prints a report. `requests serve NAME` is one of the servers: it prints its address, and ends when its
//! input does.

mod actix;
mod arguments;
mod catalogue;
mod cpu;
mod load;
mod measure;
mod processors;
mod report;
mod server;
mod servers;
mod statistics;
mod task;
mod visitor;

use std::error::Error;

use arguments::Settings;

const USAGE: &str = "usage: requests serve NAME | requests report [OPTION VALUE]..., with the options
  --file FILE    write the report to this file, too
  --rounds N     how often everything is measured (default 40)
  --millis N     for how long each task of each server, in a round (default 200)
  --only A,B,C   measure these servers alone, and those that they are compared with
  --python PATH  a Python with Flask and gunicorn
Redis and PostgreSQL are found by the variables CARAFE_REDIS_URL and CARAFE_POSTGRES_URL; without one
its rows are left out. The programs of the other servers are expected beside this one.";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", name] if name.starts_with("actix") => actix::serve(name),
        ["serve", name] => servers::serve(name),
        ["report", options @ ..] => report::write(&Settings::parse(options)?),
        _ => Err(USAGE.into()),
    }
}
