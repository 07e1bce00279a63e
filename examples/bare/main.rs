//! The tutorial's application over a plain socket, one request after the other, without a framework.
//!
//! Sessions are in signed cookies, as Flask's; with `--store` they are in memory.
#![forbid(unsafe_code)]

mod http;
#[cfg(test)]
mod tests;

use std::net::TcpListener;

use carafe::engine::Sessions;
use carafe::store::MemoryStore;
use carafe::{Config, Error, SecretKey, Session};
use http::{Request, Response, escape};

fn page(request: &Request, session: &Session) -> Result<Response, Error> {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => Ok(Response::page(&match session.get::<String>("username")? {
            Some(name) => format!("Logged in as {} <a href=/logout>Log out</a>", escape(&name)),
            None => "You are not logged in <a href=/login>Log in</a>".to_owned(),
        })),
        ("GET", "/login") => Ok(Response::page("<form method=post><input name=username></form>")),
        ("POST", "/login") => {
            session.insert("username", request.field("username"))?;
            Ok(Response::redirect("/"))
        }
        ("GET", "/logout") => session.remove("username").map(|_| Response::redirect("/")),
        _ => Ok(Response::not_found()),
    }
}

/// The page with the header lines of its session, once the session is saved.
async fn answer(request: &Request, sessions: &Sessions) -> Result<Response, Error> {
    let visit = sessions.request(&request.cookies);
    let mut response = page(request, &Session::open(&visit).await?)?;
    let committed = visit.commit().await?;
    response.add_lines(committed.lines());
    committed.error().map_or(Ok(response), |error| Err(error.clone()))
}

fn serve(listener: &TcpListener, sessions: &Sessions) -> std::io::Result<()> {
    http::serve(listener, &async |request: &Request| {
        answer(request, sessions).await.unwrap_or_else(|error| {
            eprintln!("the session failed: {error}");
            Response::failed(error.status().as_u16())
        })
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Sessions::new(SecretKey::from_env_or_random()?, Config::flask())?;
    let in_store = std::env::args().any(|argument| argument == "--store");
    let sessions = if in_store { sessions.in_store(MemoryStore::new()) } else { sessions };
    let address = std::env::args().skip_while(|argument| argument != "--listen").nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:5000"))?;
    println!("http://{}", listener.local_addr()?);
    Ok(serve(&listener, &sessions)?)
}
