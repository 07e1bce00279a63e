//! The handlers of the shop, for all servers.

use std::collections::BTreeMap;

use carafe::csrf::{Csrf, CsrfLayer};
use carafe::http::{StatusCode, header};
use carafe::{
    CurrentUser, Error, ErrorPage, LoginOptions, SecretKey, Session, SessionLayer, Typed,
    WantedPage,
};
use serde::{Deserialize, Serialize};

pub(crate) const ORIGIN: &str = "https://shop.example";

#[derive(Serialize, Deserialize, Default)]
pub(crate) struct Cart {
    items: BTreeMap<String, u32>,
    visits: u64,
}

pub(crate) fn key() -> SecretKey {
    SecretKey::new("7d1e9b40c6f25a83e0b74d19c85f3a62").unwrap()
}

pub(crate) fn layer(layer: SessionLayer) -> SessionLayer {
    layer.with_login_page("/login").unwrap().on_error(|error| {
        let page = carafe::http::Response::builder().status(error.status());
        ErrorPage::from(page.header("x-page", "sorry").body(format!("{:?}", error.kind())).unwrap())
    })
}

pub(crate) fn csrf() -> CsrfLayer {
    CsrfLayer::new([ORIGIN]).unwrap().form_limit(1024)
}

/// `GET /`: the user, the cart, and the flashed messages.
pub(crate) fn index(
    mut cart: Typed<Cart>,
    user: Option<&CurrentUser>,
    csrf: &Csrf,
) -> Result<String, Error> {
    cart.update(|cart| cart.visits += 1)?;
    let messages = cart.session().get_flashed_messages()?;
    let messages: Vec<_> = messages.iter().map(|flash| flash.message.as_str().unwrap()).collect();
    let items: Vec<_> = cart.items.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let user = user.map_or("a guest", CurrentUser::id);
    Ok([user, &items.join(","), &messages.join(","), &csrf.token()?].join(";"))
}

/// `POST /add`: the body is a form with the field `item`.
pub(crate) fn add(mut cart: Typed<Cart>, form: &str) -> Result<(), Error> {
    let item = field(form, "item");
    cart.session().flash(format!("added {item}"))?;
    cart.update(move |cart| *cart.items.entry(item.clone()).or_default() += 1)
}

/// `POST /count`: counts all requests, including simultaneous ones.
pub(crate) async fn count(mut cart: Typed<Cart>) -> Result<String, Error> {
    cart.update_now(|cart| cart.visits += 1).await?;
    Ok(cart.visits.to_string())
}

/// `POST /login`: returns the page to redirect to.
pub(crate) fn login(session: &Session, wanted: &WantedPage, form: &str) -> Result<String, Error> {
    session.login_with(field(form, "user"), LoginOptions::default().keep("items"))?;
    session.flash("welcome")?;
    Ok(wanted.or("/").to_owned())
}

/// `GET /wrong`: a mistake in a handler.
pub(crate) fn wrong(session: &Session) -> Result<String, Error> {
    session.insert("number", "seven")?;
    session.get::<u8>("number").map(|number| format!("{number:?}"))
}

/// A response that redirects the visitor.
pub(crate) fn redirect<B: Default>(to: &str) -> carafe::http::Response<B> {
    let redirect = carafe::http::Response::builder().status(StatusCode::SEE_OTHER);
    redirect.header(header::LOCATION, to).body(B::default()).unwrap()
}

/// A field of a form; nothing in these tests needs decoding.
fn field(form: &str, name: &str) -> String {
    let mut fields = form.split('&').filter_map(|field| field.split_once('='));
    fields.find(|(key, _)| *key == name).unwrap_or_default().1.to_owned()
}
