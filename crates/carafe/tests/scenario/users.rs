//! Handlers for users, and visitors who aren't logged in: all servers answer alike.

use carafe::SessionLayer;
use carafe::http::Request;
use carafe::store::MemoryStore;

use crate::browser::{Answer, Browser, Server};
use crate::slow::Slow;
use crate::{members, shop};

/// Layers without a page of the application: with sessions in cookies, and in stores.
fn layers() -> [SessionLayer; 3] {
    let layer = || SessionLayer::flask(shop::key());
    [layer(), layer().in_store(MemoryStore::new()), layer().in_store(Slow::default())]
}

async fn post<S: Server>(browser: &mut Browser<'_, S>, path: &str) -> Answer {
    browser.send(Request::post(path).body(String::new()).unwrap()).await
}

fn assert_is_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (401, "Unauthorized"));
    assert_eq!((answer.header("location"), answer.header("set-cookie")), (None, None));
    assert_eq!(answer.header("vary"), Some("Cookie"));
}

/// Without a login page, a visitor who isn't logged in is refused.
async fn without_a_login_page<S: Server>(site: &S) {
    let mut browser = Browser::new(site);
    assert_is_refused(&browser.get("/account").await);
    assert_is_refused(&post(&mut browser, "/account").await);
    let answer = browser.get("/").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "a guest"));
    assert_eq!(answer.header("vary"), Some("Cookie"), "it is another page for users");
    browser.get("/login").await;
    for path in ["/", "/account", "/own", "/lazy"] {
        assert_eq!(browser.get(path).await.text, "ann", "{path}");
    }
}

/// With a login page, guests are redirected there, unless the request can't be repeated.
async fn with_a_login_page<S: Server>(site: &S) {
    let mut browser = Browser::new(site);
    assert_is_refused(&post(&mut browser, "/account").await);
    for (path, login) in [
        ("/account", "/login?next=/account"),
        ("/account?page=2&q=a%20b", "/login?next=/account%3Fpage%3D2%26q%3Da%2520b"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(login)));
        assert_eq!(answer.header("vary"), Some("Cookie"));
        assert_eq!(answer.header("set-cookie"), None);
    }
    let answer = browser.get("/").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "a guest"));
    assert_eq!(browser.get("/own").await.text, "own page: LoginRequired");
    post(&mut browser, "/login").await;
    assert_eq!(post(&mut browser, "/account").await.text, "ann");
}

/// The application's page replaces the 401, but not the redirect to the login page.
async fn with_a_page_of_the_applications<S: Server>(site: &S) {
    let mut browser = Browser::new(site);
    let answer = post(&mut browser, "/account").await;
    assert_eq!((answer.status, answer.text.as_str()), (401, "LoginRequired"));
    let answer = browser.get("/account").await;
    assert_eq!((answer.status, answer.header("x-page")), (303, None));
}

fn login_page(layer: SessionLayer) -> SessionLayer {
    layer.with_login_page("/login").unwrap()
}

#[tokio::test]
async fn strangers_on_axum_are_sent_to_the_login_page_or_refused() {
    for layer in layers() {
        without_a_login_page(&members::on_axum(layer.clone())).await;
        with_a_login_page(&members::on_axum(login_page(layer.clone()))).await;
        with_a_page_of_the_applications(&members::on_axum(shop::layer(layer))).await;
    }
}

#[tokio::test]
async fn strangers_on_actix_are_sent_to_the_login_page_or_refused() {
    for layer in layers() {
        without_a_login_page(&members::on_actix(layer.clone()).await).await;
        with_a_login_page(&members::on_actix(login_page(layer.clone())).await).await;
        with_a_page_of_the_applications(&members::on_actix(shop::layer(layer)).await).await;
    }
}

#[tokio::test]
async fn strangers_on_tower_are_sent_to_the_login_page_or_refused() {
    for layer in layers() {
        without_a_login_page(&members::on_tower(layer.clone())).await;
        with_a_login_page(&members::on_tower(login_page(layer.clone()))).await;
        with_a_page_of_the_applications(&members::on_tower(shop::layer(layer))).await;
    }
}
