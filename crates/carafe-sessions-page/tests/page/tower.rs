//! The page without axum.

use carafe::Clock;
use carafe::csrf::CsrfLayer;
use carafe::store::MemoryStore;
use carafe::testing::{BoxError, Client};
use carafe_sessions_page::SessionsPage;
use tower::Layer as _;

use crate::app::{HOME, sessions};
use crate::support::NOW;

#[tokio::test]
async fn the_page_is_a_service_of_its_own() -> Result<(), BoxError> {
    let layer = sessions(MemoryStore::new(), &Clock::fixed(NOW));
    let csrf = CsrfLayer::new([HOME])?;
    let client = Client::new(layer.layer(csrf.layer(SessionsPage::new())), &layer);
    assert_eq!(client.get("/").await?.status(), 401);

    client.session_transaction(|session| session.login("ann")).await?;
    let page = client.get("/").await?;
    assert_eq!(page.status(), 200);
    let html = page.text();
    let token = html.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let form = format!("csrf_token={token}&end=all");
    let request = http::Request::post("/")
        .header("origin", HOME)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)?;
    assert_eq!(client.send(request).await?.status(), 303);
    assert_eq!(client.session().await?.user(), None);
    Ok(())
}

#[tokio::test]
async fn without_a_session_layer_it_is_an_error() {
    let request = http::Request::get("/").body(String::new()).unwrap();
    let response = tower::ServiceExt::oneshot(SessionsPage::new(), request).await.unwrap();
    assert_eq!(response.status(), 500);
}
