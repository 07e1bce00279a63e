//! The tutorial's application over a plain socket, one request after the other, without a framework.
//!
//! Sessions are in signed cookies, as Flask's; with `--store` they are in memory.
#![forbid(unsafe_code)]

mod http;
#[cfg(test)]
mod tests;

use std::net::{TcpListener, TcpStream};

use carafe::engine::Sessions;
use carafe::store::MemoryStore;
use carafe::{Config, Error, SecretKey, Session};
use http::{Request, Response, escape};

/// The page of a request.
fn page(request: &Request, session: &Session) -> Result<Response, Error> {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => {
            let name: Option<String> = session.get("username")?;
            let greeting = name.map(|name| format!("Logged in as {}", escape(&name)));
            let greeting = greeting.unwrap_or_else(|| "You are not logged in".to_owned());
            Ok(Response::page(&format!(
                "{greeting} <a href=/login>Log in</a> <a href=/logout>Log out</a>"
            )))
        }
        ("GET", "/login") => Ok(Response::page(
            "<form method=post><input name=username><input type=submit value=Login></form>",
        )),
        ("POST", "/login") => {
            session.insert("username", request.field("username"))?;
            Ok(Response::redirect("/"))
        }
        ("GET", "/logout") => {
            session.remove("username")?;
            Ok(Response::redirect("/"))
        }
        _ => Ok(Response::not_found()),
    }
}

/// The page and the header lines of its session, once that is saved.
async fn answer(request: &Request, sessions: &Sessions) -> Result<Response, Error> {
    let visit = sessions.request(&request.cookies);
    let session = Session::open(&visit).await?;
    let mut response = page(request, &session)?;
    let committed = visit.commit().await?;
    match committed.error() {
        Some(error) => Err(error.clone()),
        None => {
            response.add_lines(committed.lines());
            Ok(response)
        }
    }
}

async fn serve_one(stream: &TcpStream, sessions: &Sessions) -> std::io::Result<()> {
    let request = Request::read(stream)?;
    let response = answer(&request, sessions).await.unwrap_or_else(|error| {
        eprintln!("the session failed: {error}");
        Response::failed(error.status().as_u16())
    });
    response.write(stream)
}

fn serve(listener: &TcpListener, sessions: &Sessions) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    for stream in listener.incoming() {
        if let Err(error) = runtime.block_on(serve_one(&stream?, sessions)) {
            eprintln!("a connection failed: {error}");
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sessions = Sessions::new(SecretKey::from_env_or_random()?, Config::flask())?;
    if std::env::args().any(|argument| argument == "--store") {
        sessions = sessions.in_store(MemoryStore::new());
    }
    let address = std::env::args().skip_while(|argument| argument != "--listen").nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:5000"))?;
    println!("http://{}", listener.local_addr()?);
    Ok(serve(&listener, &sessions)?)
}
