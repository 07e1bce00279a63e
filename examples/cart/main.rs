//! A shop's cart: a session whose keys the compiler knows, parallel requests that lose nothing, and
//! messages for the next page.
//!
//! ```sh
//! cargo run --example cart    # then open http://localhost:5000
//! ```
//!
//! Each button is a form, which works without scripts. With them, `shop.js` sends additions to the
//! cart by `fetch`: a visitor who presses quickly has several requests under way at once.
//!
//! `ORIGIN` says where browsers find the shop, such as `https://shop.example`; `SECRET_KEY` is the key,
//! and `PORT` or `--listen` where it listens.
#![forbid(unsafe_code)]

mod pages;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Redirect, Response};
use axum::routing::{get, post};
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::store::MemoryStore;
use carafe::{Error, SecretKey, SessionLayer, Typed};
use maud::Markup;

/// The content of the session. Each field is a key of it.
#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Cart {
    /// The number of each product in the cart.
    items: BTreeMap<String, u32>,
    started: bool,
}

impl Cart {
    fn count(&self) -> u32 {
        self.items.values().sum()
    }
}

async fn shop(mut cart: Typed<Cart>, csrf: Csrf) -> Result<Markup, Error> {
    // The session begins with the page and not with the first button, so that requests which are
    // sent at the same time have one session, and not one each.
    cart.edit(|cart| cart.started = true)?;
    pages::shop(&cart, &csrf)
}

async fn show(cart: Typed<Cart>, csrf: Csrf) -> Result<Markup, Error> {
    pages::cart(&cart, &csrf)
}

async fn add(
    mut cart: Typed<Cart>,
    Path(product): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let Some(name) = pages::name_of(&product) else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    // The change may run again, on a cart that another request has filled meanwhile: nothing is
    // lost.
    let add = move |cart: &mut Cart| *cart.items.entry(product.clone()).or_default() += 1;
    if headers.get(ACCEPT).is_some_and(|accept| accept == "application/json") {
        // Saved at once, so that the number that is answered is the one that was written.
        cart.update_now(add).await?;
        return Ok(Json(cart.count()).into_response());
    }
    cart.update(add)?;
    cart.session().flash(format!("{name}: one is in your cart."))?;
    Ok(Redirect::to("/cart").into_response())
}

async fn remove(mut cart: Typed<Cart>, Path(product): Path<String>) -> Result<Redirect, Error> {
    if let Some(name) = pages::name_of(&product) {
        cart.update(move |cart| {
            cart.items.remove(&product);
        })?;
        cart.session().flash(format!("{name} is out of your cart."))?;
    }
    Ok(Redirect::to("/cart"))
}

fn app(key: SecretKey, origin: &str) -> Result<Router, Error> {
    let sessions = SessionLayer::stored(MemoryStore::new(), key)?;
    Ok(Router::new()
        .route("/", get(shop))
        .route("/cart", get(show))
        .route("/add/{product}", post(add))
        .route("/remove/{product}", post(remove))
        // From the inside to the outside: the session's layer has to be outside of the CSRF layer.
        .layer(CsrfLayer::new([origin])?)
        .layer(sessions)
        .route("/shop.js", get(([(CONTENT_TYPE, "text/javascript")], include_str!("shop.js"))))
        .route("/shop.css", get(([(CONTENT_TYPE, "text/css")], include_str!("shop.css"))))
        .layer(axum::middleware::map_response(async |response: Response| {
            ([(CONTENT_SECURITY_POLICY, "default-src 'self'; frame-ancestors 'none'")], response)
        })))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let address = std::env::args().skip_while(|argument| argument != "--listen").nth(1);
    let address = address.unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener = listener.map_err(|error| format!("can't listen on {address}: {error}"))?;
    let here = format!("http://localhost:{}", listener.local_addr()?.port());
    let origin = std::env::var("ORIGIN").unwrap_or_else(|_| here.clone());
    let app = app(SecretKey::from_env_or_random()?, &origin)?;
    println!("listening on {here}");
    Ok(axum::serve(listener, app).await?)
}
