//! The tutorial's application: log in, be greeted, log out.
use axum::{Form, Router, http::StatusCode, response::Redirect};
use axum_extra::routing::{RouterExt, TypedPath};
use carafe::{Error, ErrorKind, SecretKey, Session, SessionLayer};
use maud::{DOCTYPE, Markup, PreEscaped, html};

#[derive(TypedPath)]
#[typed_path("/")]
struct Index;
#[derive(TypedPath)]
#[typed_path("/login")]
struct Login;
#[derive(TypedPath)]
#[typed_path("/logout")]
struct Logout;
#[derive(serde::Deserialize)]
struct Credentials {
    username: String,
}

async fn index(_: Index, session: Session) -> Result<Markup, Error> {
    let name: Option<String> = session.get("username")?;
    Ok(page(&html! {
        @if let Some(name) = name { p { "Logged in as " (name) } a href=(Logout) { "click here to log out" } }
        @else { p { "You are not logged in" } a href=(Login) { "click here to log in" } }
    }))
}
async fn form(_: Login) -> Markup {
    page(&html! {
        form method="post" { input name="username" aria-label="Name" autofocus; button { "Login" } }
    })
}
async fn login(_: Login, s: Session, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    s.insert("username", form.username)?;
    Ok(Redirect::to(Index::PATH))
}
async fn logout(_: Logout, session: Session) -> Result<Redirect, Error> {
    session.remove("username")?;
    Ok(Redirect::to(Index::PATH))
}
fn page(content: &Markup) -> Markup {
    html! { (DOCTYPE) html lang="en" { (PreEscaped(include_str!("head.html"))) main { (content) } } }
}
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let sessions = SessionLayer::flask(SecretKey::from_env_or_random()?);
    let sessions = sessions.on_error(|error| match error.kind() {
        ErrorKind::CookieTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "That name is too long."),
        _ => (error.status(), "Something went wrong."),
    });
    let app = Router::new().typed_get(index).typed_get(form).typed_post(login).typed_get(logout);
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let address = std::env::args().skip_while(|arg| arg != "--listen").nth(1);
    let address = address.unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener = listener.map_err(|e| format!("{address}: {e}; choose another: PORT=5001"))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.layer(sessions)).await?)
}
