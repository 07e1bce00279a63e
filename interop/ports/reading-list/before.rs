//! A reading list: sign in, note books, cross them off.
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};
use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

const USER: &str = "user";
const BOOKS: &str = "books";
const MESSAGE: &str = "message";

#[derive(Clone, Deserialize, Serialize)]
struct Book {
    title: String,
    pages: u32,
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

struct AppError(tower_sessions::session::Error);

impl From<tower_sessions::session::Error> for AppError {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        eprintln!("{}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

async fn index(session: Session) -> Result<Markup, AppError> {
    let message: Option<String> = session.remove(MESSAGE).await?;
    let Some(user) = session.get::<String>(USER).await? else {
        return Ok(page(message.as_deref(), login_form()));
    };
    let books: Vec<Book> = session.get(BOOKS).await?.unwrap_or_default();
    Ok(page(message.as_deref(), list(&user, &books)))
}

async fn login(session: Session, Form(login): Form<Login>) -> Result<Redirect, AppError> {
    session.cycle_id().await?;
    session.insert(USER, &login.name).await?;
    session.insert(MESSAGE, format!("Welcome, {}.", login.name)).await?;
    Ok(Redirect::to("/"))
}

async fn add(session: Session, Form(book): Form<Book>) -> Result<Redirect, AppError> {
    if session.get::<String>(USER).await?.is_none() {
        return Ok(Redirect::to("/"));
    }
    let mut books: Vec<Book> = session.get(BOOKS).await?.unwrap_or_default();
    session.insert(MESSAGE, format!("{} is on your list.", book.title)).await?;
    books.push(book);
    session.insert(BOOKS, books).await?;
    Ok(Redirect::to("/"))
}

async fn cross_off(session: Session, Path(title): Path<String>) -> Result<Redirect, AppError> {
    let mut books: Vec<Book> = session.get(BOOKS).await?.unwrap_or_default();
    books.retain(|book| book.title != title);
    session.insert(BOOKS, books).await?;
    Ok(Redirect::to("/"))
}

async fn logout(session: Session) -> Result<Redirect, AppError> {
    session.flush().await?;
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

pub fn app() -> Router {
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        .with_name("__Host-session")
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(Duration::days(14)));
    Router::new()
        .route("/", get(index))
        .route("/login", post(login))
        .route("/add", post(add))
        .route("/read/{title}", post(cross_off))
        .route("/logout", post(logout))
        .layer(sessions)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
    Ok(axum::serve(listener, app()).await?)
}
