//! The tutorial's application on actix-web: log in, be greeted, log out.
use actix_web::web::{Form, Html, Redirect, resource};
use actix_web::{App, HttpServer};
use carafe::{Error, ErrorKind, SecretKey, Session, SessionLayer, http::StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const INDEX: &str = "/";
const LOGIN: &str = "/login";
const LOGOUT: &str = "/logout";

#[derive(serde::Deserialize)]
struct Credentials {
    username: String,
}

async fn index(session: Session) -> Result<Html, Error> {
    let name: Option<String> = session.get("username")?;
    Ok(page(&html! {
        @if let Some(name) = name { p { "Logged in as " (name) } a href=(LOGOUT) { "click here to log out" } }
        @else { p { "You are not logged in" } a href=(LOGIN) { "click here to log in" } }
    }))
}
async fn form() -> Html {
    page(&html! {
        form method="post" { input name="username" aria-label="Name" autofocus; button { "Login" } }
    })
}
async fn login(session: Session, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    session.insert("username", form.username)?;
    Ok(Redirect::to(INDEX).see_other())
}
async fn logout(session: Session) -> Result<Redirect, Error> {
    session.remove("username")?;
    Ok(Redirect::to(INDEX).see_other())
}
fn page(content: &Markup) -> Html {
    let head = PreEscaped(include_str!("../login/head.html"));
    Html::new(html! { (DOCTYPE) html lang="en" { (head) main { (content) } } }.into_string())
}
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let sessions = SessionLayer::flask(SecretKey::from_env_or_random()?);
    let sessions = sessions.on_error(|error| match error.kind() {
        ErrorKind::CookieTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "That name is too long."),
        _ => (error.status(), "Something went wrong."),
    });
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let address = std::env::args().skip_while(|arg| arg != "--listen").nth(1);
    let address = address.unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let app = move || {
        App::new()
            .service(resource(INDEX).get(index))
            .service(resource(LOGIN).get(form).post(login))
            .service(resource(LOGOUT).get(logout))
            .wrap(sessions.clone())
    };
    let server = HttpServer::new(app).bind(&address);
    let server = server.map_err(|e| format!("{address}: {e}; choose another: PORT=5001"))?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    Ok(server.run().await?)
}
