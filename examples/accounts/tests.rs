//! Passwords that change while a user signs in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use carafe::csrf::CsrfLayer;
use carafe::testing::{BoxError, Client};
use carafe::{SecretKey, SessionLayer};

use crate::accounts::Accounts;
use crate::arguments::Store;
use crate::site;

const OLD: &str = "an old password";
const NEW: &str = "another password";

/// The number of browsers that sign in again and again.
const BROWSERS: usize = 3;

type Browser = Client<Router>;

fn site(store: Store) -> Result<Router, BoxError> {
    let (accounts, key) = (Accounts::open(None)?, SecretKey::random()?);
    let site = site::router(accounts, store, CsrfLayer::same_host(), key);
    site.map_err(|error| error.to_string().into())
}

fn browser(site: &Router) -> Result<Browser, BoxError> {
    // The client goes by this layer's clock; the sessions are the site's own.
    Ok(Client::new(site.clone(), &SessionLayer::flask(SecretKey::random()?)))
}

/// Sends the form of a page with these fields, and its token; the status.
async fn send(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Result<u16, BoxError> {
    let page = browser.get(path).await?.text();
    let token =
        page.split_once("name=\"csrf_token\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    let (token, _) = token.ok_or("the page has no token")?;
    let fields = [fields, &[("csrf_token", token)]].concat();
    Ok(browser.post_form(path, &fields).await?.status().as_u16())
}

async fn sign_in(browser: &Browser, password: &str) -> Result<u16, BoxError> {
    send(browser, "/login", &[("name", "ada"), ("password", password)]).await
}

async fn is_signed_in(browser: &Browser) -> Result<bool, BoxError> {
    Ok(browser.get("/account").await?.status() == 200)
}

/// Signs in with the old password in one browser after the other, until it is no more.
async fn sign_in_until(
    site: Router,
    is_changed: Arc<AtomicBool>,
) -> Result<Vec<Browser>, BoxError> {
    let mut browsers = Vec::new();
    while !is_changed.load(Ordering::SeqCst) {
        let browser = browser(&site)?;
        sign_in(&browser, OLD).await?;
        browsers.push(browser);
    }
    Ok(browsers)
}

/// Changes the password while others sign in with the old one, and looks which sessions are left.
async fn change_password(store: Store) -> Result<(), BoxError> {
    let has_list = store != Store::Sealed;
    let site = site(store)?;
    let owner = browser(&site)?;
    send(&owner, "/register", &[("name", "ada"), ("password", OLD)]).await?;
    let is_changed = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..BROWSERS)
        .map(|_| tokio::spawn(sign_in_until(site.clone(), Arc::clone(&is_changed))))
        .collect();
    let fields = [("current", OLD), ("new", NEW)];
    assert_eq!(send(&owner, "/account/password", &fields).await?, 303);
    is_changed.store(true, Ordering::SeqCst);
    let mut ended = Vec::new();
    for others in others {
        ended.extend(others.await??);
    }
    assert!(ended.len() >= BROWSERS, "{} logins", ended.len());
    assert!(is_signed_in(&owner).await?);
    for other in ended {
        assert!(!is_signed_in(&other).await?, "a login with the old password is alive");
    }
    // A login that was under way is in the list until its session is used, which ends it.
    if has_list {
        let list = owner.get("/account/sessions").await?.text();
        assert_eq!(list.matches("</li>").count(), 1, "{list}");
    }
    assert_eq!(sign_in(&browser(&site)?, OLD).await?, 422);
    let next = browser(&site)?;
    assert_eq!(sign_in(&next, NEW).await?, 303);
    assert!(is_signed_in(&next).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_with_the_old_password_end_with_it() -> Result<(), BoxError> {
    change_password(Store::Memory).await
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_with_the_old_password_end_with_it_in_cookies() -> Result<(), BoxError> {
    change_password(Store::Sealed).await
}
