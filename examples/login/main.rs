//! The tutorial's application: log in, be greeted, log out.
#![forbid(unsafe_code)]

use axum::{Form, Router, response::Redirect};
use axum_extra::routing::{RouterExt, TypedPath};
use carafe::{Error, ErrorKind, SecretKey, Session, SessionLayer};
use maud::{DOCTYPE, Markup, html};

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
struct LoginForm {
    username: String,
}

async fn index(_: Index, session: Session) -> Result<Markup, Error> {
    Ok(page(&match session.get::<String>("username")? {
        Some(name) => {
            html! { p { "Logged in as " (name) } a href=(Logout) { "click here to log out" } }
        }
        None => html! { p { "You are not logged in" } a href=(Login) { "click here to log in" } },
    }))
}

async fn login_form(_: Login) -> Markup {
    page(
        &html! { form method="post" { input name="username" required autofocus; button { "Login" } } },
    )
}

async fn login(_: Login, session: Session, Form(form): Form<LoginForm>) -> Result<Redirect, Error> {
    session.insert("username", form.username)?;
    Ok(Redirect::to(Index::PATH))
}

async fn logout(_: Logout, session: Session) -> Result<Redirect, Error> {
    session.remove("username")?;
    Ok(Redirect::to(Index::PATH))
}

fn page(content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Carafe" }
                style { (include_str!("style.css")) }
            }
            body { main { (content) } }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let key =
        SecretKey::from_env("SECRET_KEY").or_else(|_| SecretKey::from_env("FLASK_SECRET_KEY"));
    let key = key.or_else(|_| {
        println!("no SECRET_KEY is set: using a random one, so sessions end with this process");
        SecretKey::random()
    })?;
    let sessions = SessionLayer::flask(key).on_error(|error| match error.kind() {
        ErrorKind::CookieTooLarge => (413, "That name is too long to be remembered."),
        _ => (500, "Something went wrong."),
    });
    let app = Router::new()
        .typed_get(index)
        .typed_get(login_form)
        .typed_post(login)
        .typed_get(logout)
        .layer(sessions);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let address = std::env::args().skip_while(|arg| arg != "--listen").nth(1);
    let address = address.unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let listener = tokio::net::TcpListener::bind(&address)
        .await
        .map_err(|error| {
            format!("can't listen on {address} ({error}): choose another port with PORT=5001")
        })?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
