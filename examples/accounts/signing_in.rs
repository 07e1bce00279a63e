//! Registering, signing in and signing out.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use carafe::{Session, WantedPage};
use minijinja::context;

use crate::accounts::Account;
use crate::failure::Failure;
use crate::passwords;
use crate::site::Site;
use crate::visit::{Page, User, Visitor};

#[derive(serde::Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

impl Credentials {
    /// Names are the same in upper and lower case.
    fn name(&self) -> String {
        self.name.trim().to_ascii_lowercase()
    }
}

pub(crate) async fn register_form(page: Page, wanted: WantedPage) -> Result<Html<String>, Failure> {
    page.render("register.html", context! { next => wanted.path() })
}

pub(crate) async fn register(
    page: Page,
    session: Session,
    visitor: Visitor,
    wanted: WantedPage,
    site: State<Site>,
    Form(form): Form<Credentials>,
) -> Result<Response, Failure> {
    let name = form.name();
    let again = |objection: &str| {
        let context = context! { name => name.as_str(), objection, next => wanted.path() };
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page.render("register.html", context)?)
            .into_response())
    };
    if !is_name(&name) {
        return again("A name has 1 to 32 letters, digits, dots and dashes.");
    }
    if let Some(objection) = passwords::objection(&name, &form.password) {
        return again(objection);
    }
    match site.accounts.register(name.clone(), form.password).await? {
        Some(account) => sign_in(&session, &account, visitor, &wanted),
        None => again("That name is taken."),
    }
}

pub(crate) async fn login_form(page: Page, wanted: WantedPage) -> Result<Html<String>, Failure> {
    page.render("login.html", context! { next => wanted.path() })
}

pub(crate) async fn login(
    page: Page,
    session: Session,
    visitor: Visitor,
    wanted: WantedPage,
    site: State<Site>,
    Form(form): Form<Credentials>,
) -> Result<Response, Failure> {
    let name = form.name();
    let account = site.accounts.authenticate(name.clone(), form.password).await?;
    let signed_in = match account {
        Some(account) => sign_in_and_look_again(&session, account, visitor, &site).await?,
        None => None,
    };
    match signed_in {
        Some(account) => welcome(&session, &account, &wanted),
        None => {
            // Nothing tells which of the two was wrong.
            let objection = "That is not the name and the password of an account.";
            let context = context! { name, objection, next => wanted.path() };
            let page = page.render("login.html", context)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// By POST, from a form with a token: no link or image of another site signs anybody out.
pub(crate) async fn logout(session: Session) -> Result<Redirect, Failure> {
    session.logout()?;
    session.flash("You are signed out.")?;
    Ok(Redirect::to("/"))
}

pub(crate) async fn logout_everywhere(user: User) -> Result<Redirect, Failure> {
    user.session.logout_everywhere().await?;
    user.session.flash("You are signed out everywhere.")?;
    Ok(Redirect::to("/"))
}

/// Makes the session the user's, under a new id, and leads to the page that they wanted.
fn sign_in(
    session: &Session,
    account: &Account,
    visitor: Visitor,
    wanted: &WantedPage,
) -> Result<Response, Failure> {
    visitor.sign_in(session, account)?;
    welcome(session, account, wanted)
}

/// Signs in, and looks whether the account still has the password that was right a moment ago: checking
/// one takes long, and the user may have changed it meanwhile, since somebody else knows it.
async fn sign_in_and_look_again(
    session: &Session,
    account: Account,
    visitor: Visitor,
    site: &Site,
) -> Result<Option<Account>, Failure> {
    visitor.sign_in(session, &account)?;
    // From here on the change of a password would end it.
    session.save().await?;
    let now = site.accounts.find(account.id).await?;
    if now.is_some_and(|now| now.stamp == account.stamp) {
        return Ok(Some(account));
    }
    session.logout()?;
    Ok(None)
}

fn welcome(session: &Session, account: &Account, wanted: &WantedPage) -> Result<Response, Failure> {
    session.flash(format!("Welcome, {}.", account.name))?;
    Ok(Redirect::to(wanted.or("/account")).into_response())
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}
