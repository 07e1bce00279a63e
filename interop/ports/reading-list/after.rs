//! A reading list: sign in, note books, cross them off.
use std::time::Duration;

use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use carafe::store::MemoryStore;
use carafe::{Error, LoginOptions, SecretKey, SessionLayer, Typed};
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize, Serialize)]
struct Visitor {
    books: Vec<Book>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Book {
    title: String,
    pages: u32,
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

async fn index(visitor: Typed<Visitor>) -> Result<Markup, Error> {
    let messages = visitor.session().get_flashed_messages()?;
    let message = messages.last().and_then(|flash| flash.message.as_str());
    let Some(user) = visitor.session().user() else {
        return Ok(page(message, login_form()));
    };
    Ok(page(message, list(&user, &visitor.books)))
}

async fn login(visitor: Typed<Visitor>, Form(login): Form<Login>) -> Result<Redirect, Error> {
    visitor.session().login_with(&login.name, LoginOptions::default().keep("books"))?;
    visitor.session().flash(format!("Welcome, {}.", login.name))?;
    Ok(Redirect::to("/"))
}

async fn add(mut visitor: Typed<Visitor>, Form(book): Form<Book>) -> Result<Redirect, Error> {
    if visitor.session().user().is_none() {
        return Ok(Redirect::to("/"));
    }
    visitor.session().flash(format!("{} is on your list.", book.title))?;
    visitor.update(move |visitor| visitor.books.push(book.clone()))?;
    Ok(Redirect::to("/"))
}

async fn cross_off(
    mut visitor: Typed<Visitor>,
    Path(title): Path<String>,
) -> Result<Redirect, Error> {
    visitor.update(move |visitor| visitor.books.retain(|book| book.title != title))?;
    Ok(Redirect::to("/"))
}

async fn logout(visitor: Typed<Visitor>) -> Result<Redirect, Error> {
    visitor.session().logout()?;
    Ok(Redirect::to("/"))
}

fn page(message: Option<&str>, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        title { "Reading list" }
        @if let Some(message) = message { p role="status" { (message) } }
        (content)
    }
}

fn login_form() -> Markup {
    html! {
        form method="post" action="/login" { input name="name"; button { "Sign in" } }
    }
}

fn list(user: &str, books: &[Book]) -> Markup {
    html! {
        h1 { (user) ", " (books.iter().map(|book| book.pages).sum::<u32>()) " pages to read" }
        @for book in books {
            form method="post" action={ "/read/" (book.title) } { (book.title) button { "Read" } }
        }
        form method="post" action="/add" {
            input name="title"; input name="pages" type="number"; button { "Add" }
        }
        form method="post" action="/logout" { button { "Sign out" } }
    }
}

pub fn app() -> Result<Router, Error> {
    let sessions = SessionLayer::stored(MemoryStore::new(), SecretKey::from_env_or_random()?)?
        .configure(|config| {
            config.idle_timeout(Duration::from_secs(14 * 86_400)).permanent_by_default(true)
        })?;
    Ok(Router::new()
        .route("/", get(index))
        .route("/login", post(login))
        .route("/add", post(add))
        .route("/read/{title}", post(cross_off))
        .route("/logout", post(logout))
        .layer(sessions))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
    Ok(axum::serve(listener, app()?).await?)
}
