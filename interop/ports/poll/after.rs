//! A poll: each visitor has one vote, and may take it back.
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use actix_web::web::{Data, Form, Html, Redirect, ServiceConfig, get, post};
use actix_web::{App, HttpServer};
use carafe::{Error, SecretKey, Session, SessionLayer};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

const DRINKS: [&str; 3] = ["Coffee", "Tea", "Water"];
const VOTE: &str = "vote";
const NAME: &str = "name";

/// How many votes each drink has.
type Votes = Mutex<BTreeMap<String, u32>>;

#[derive(Deserialize)]
struct Vote {
    drink: String,
    name: String,
}

async fn index(session: Session, votes: Data<Votes>) -> Result<Html, Error> {
    let messages = session.get_flashed_messages()?;
    let message = messages.last().and_then(|flash| flash.message.as_str());
    let vote = session.get::<String>(VOTE)?;
    let name = session.get::<String>(NAME)?.unwrap_or_default();
    let votes = votes.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Html::new(page(message, vote.as_deref(), &name, &votes).into_string()))
}

async fn vote(
    session: Session,
    votes: Data<Votes>,
    Form(vote): Form<Vote>,
) -> Result<Redirect, Error> {
    if session.get::<String>(VOTE)?.is_some() || !DRINKS.contains(&vote.drink.as_str()) {
        session.flash("That is no vote.")?;
        return Ok(Redirect::to("/").see_other());
    }
    *votes.lock().unwrap_or_else(PoisonError::into_inner).entry(vote.drink.clone()).or_default() +=
        1;
    session.flash(format!("Thank you, {}.", vote.name))?;
    session.insert(VOTE, vote.drink)?;
    session.insert(NAME, vote.name)?;
    Ok(Redirect::to("/").see_other())
}

async fn take_back(session: Session, votes: Data<Votes>) -> Result<Redirect, Error> {
    if let Some(drink) = session.get::<String>(VOTE)? {
        session.remove(VOTE)?;
        if let Some(count) = votes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&drink) {
            *count -= 1;
        }
    }
    Ok(Redirect::to("/").see_other())
}

async fn forget(session: Session) -> Result<Redirect, Error> {
    session.clear()?;
    Ok(Redirect::to("/").see_other())
}

fn page(
    message: Option<&str>,
    vote: Option<&str>,
    name: &str,
    votes: &BTreeMap<String, u32>,
) -> Markup {
    html! {
        (DOCTYPE)
        title { "What to drink?" }
        @if let Some(message) = message { p role="status" { (message) } }
        @for drink in DRINKS { p { (drink) ": " (votes.get(drink).copied().unwrap_or_default()) } }
        @if let Some(vote) = vote {
            form method="post" action="/take-back" { "You want " (vote) "." button { "Oh no" } }
        } @else {
            form method="post" action="/vote" {
                input name="name" value=(name);
                @for drink in DRINKS { button name="drink" value=(drink) { (drink) } }
            }
        }
        form method="post" action="/forget" { button { "Forget me" } }
    }
}

pub fn sessions(secret: &[u8]) -> Result<SessionLayer, Error> {
    let sessions = SessionLayer::sealed(SecretKey::new(secret)?)?;
    sessions.configure(|config| config.permanent_by_default(true))
}

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/", get().to(index))
        .route("/vote", post().to(vote))
        .route("/take-back", post().to(take_back))
        .route("/forget", post().to(forget));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::var("SECRET_KEY")?;
    let sessions = sessions(secret.as_bytes())?;
    let votes = Data::new(Votes::default());
    let app = move || App::new().configure(routes).app_data(votes.clone()).wrap(sessions.clone());
    Ok(HttpServer::new(app).bind("127.0.0.1:5000")?.run().await?)
}
