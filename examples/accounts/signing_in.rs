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
use crate::site::{FRESH, Site};
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
    match account {
        // If the user changes the password meanwhile, the session ends with its next request.
        Some(account) => sign_in(&session, &account, visitor, &wanted),
        None => {
            // Nothing tells which of the two was wrong.
            let objection = "That is not the name and the password of an account.";
            let context = context! { name, objection, next => wanted.path() };
            let page = page.render("login.html", context)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Signs out, by POST from a form with a token: no link or image of another site can sign a user
/// out.
pub(crate) async fn logout(session: Session) -> Result<Redirect, Failure> {
    session.logout()?;
    session.flash("You are signed out.")?;
    Ok(Redirect::to("/"))
}

/// Asks users for their password again who were asked for it long ago.
pub(crate) async fn confirm_form(page: Page, _: User) -> Result<Html<String>, Failure> {
    page.render("confirm.html", context! {})
}

#[derive(serde::Deserialize)]
pub(crate) struct Confirmation {
    password: String,
}

pub(crate) async fn confirm(
    page: Page,
    user: User,
    wanted: WantedPage,
    site: State<Site>,
    Form(form): Form<Confirmation>,
) -> Result<Response, Failure> {
    let User { session, account } = user;
    if site.accounts.authenticate(account.name, form.password).await?.is_none() {
        let context = context! { objection => "That is not your password." };
        let page = page.render("confirm.html", context)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    session.reauthenticated()?;
    Ok(Redirect::to(wanted.or("/account")).into_response())
}

pub(crate) async fn logout_everywhere(user: User) -> Result<Redirect, Failure> {
    user.session.fresh_user(FRESH)?;
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
    session.flash(format!("Welcome, {}.", account.name))?;
    Ok(Redirect::to(wanted.or("/account")).into_response())
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}
