//! The pages that show something.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use carafe::value::DateTime;
use carafe::{ErrorKind, SessionInfo};
use minijinja::context;

use crate::failure::Failure;
use crate::passwords;
use crate::site::{FRESH, Site};
use crate::visit::{Page, User, Visitor};

/// The front page, for every visitor.
pub(crate) async fn index(page: Page) -> Result<Html<String>, Failure> {
    page.render("index.html", context! {})
}

/// The account of the signed-in user, and what is known of their session.
pub(crate) async fn account(page: Page, user: User) -> Result<Html<String>, Failure> {
    let name = &user.account.name;
    let context = match own_session(&user).await? {
        Some(info) => context! {
            name,
            public_id => info.public_id.to_string(),
            created => info.created.0,
            last_seen => info.last_seen.0,
        },
        None => context! { name },
    };
    page.render("account.html", context)
}

/// Returns the store's description of this session; `None` if it is in a cookie.
async fn own_session(user: &User) -> Result<Option<SessionInfo>, Failure> {
    match user.session.sessions().await {
        Ok(sessions) => Ok(sessions.into_iter().find(|session| session.current)),
        Err(error) if error.kind() == ErrorKind::NoStore => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn password_form(page: Page, user: User) -> Result<Html<String>, Failure> {
    user.session.fresh_user(FRESH)?;
    page.render("password.html", context! {})
}

#[derive(serde::Deserialize)]
pub(crate) struct Change {
    current: String,
    new: String,
}

/// Sets a new password. It ends all sessions, also those that were begun with the old password.
pub(crate) async fn password(
    page: Page,
    user: User,
    visitor: Visitor,
    site: State<Site>,
    Form(form): Form<Change>,
) -> Result<Response, Failure> {
    let User { session, account } = user;
    session.fresh_user(FRESH)?;
    let objection = match site.accounts.authenticate(account.name.clone(), form.current).await? {
        None => Some("That is not your password."),
        Some(_) => passwords::objection(&account.name, &form.new),
    };
    if let Some(objection) = objection {
        let page = page.render("password.html", context! { objection })?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    // A login with the old password that is under way ends with its next request.
    let account = site.accounts.set_password(account, form.new).await?;
    session.logout_everywhere().await?;
    visitor.sign_in(&session, &account)?;
    session.flash("You have a new password, and all other sessions are ended.")?;
    Ok(Redirect::to("/account").into_response())
}

/// The filter `time` of templates: Unix seconds as people read them.
pub(crate) fn time(unix: i64) -> String {
    DateTime::from_unix(unix).map(|time| time.to_string()).unwrap_or_default()
}
