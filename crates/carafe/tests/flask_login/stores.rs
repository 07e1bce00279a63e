use carafe::flask_login::{FlaskLogin, Protection};
use carafe::store::MemoryStore;

use crate::app::{protected, site};
use crate::support::{Client, flask};

/// Returns the page that an attacker sees with a copied session.
async fn with(client: &Client, cookies: &std::collections::BTreeMap<String, String>) -> String {
    let mut copy = Client::new(client.app.clone());
    copy.cookies = cookies.clone();
    copy.get("/").await.text
}

#[tokio::test]
async fn a_login_in_a_store_has_a_new_id_and_is_in_the_users_list() {
    let (mut client, _) = site(flask().in_store(MemoryStore::new()), FlaskLogin::default());
    client.get("/cart").await;
    let anonymous = client.cookies.clone();
    client.get("/remember").await;
    assert_eq!(client.get("/keys").await.text, "_fresh _id _user_id cart");
    assert_eq!(with(&client, &anonymous).await, "- stale");
    assert_eq!(client.get("/sessions").await.text, "1");
    let logged_in = client.cookies["session"].clone();
    client.get("/logout").await;
    let copy = [("session".to_owned(), logged_in)].into();
    assert_eq!(with(&client, &copy).await, "- stale", "the old id is dead");
    assert_eq!(client.get("/keys").await.text, "cart");
    client.get("/login").await;
    assert_eq!(client.get("/sessions").await.text, "1", "the session before is gone");
}

#[tokio::test]
async fn strong_protection_ends_the_session_in_the_store() {
    let layer = flask().in_store(MemoryStore::new());
    let (mut client, address) = site(layer, protected(Protection::Strong));
    client.get("/cart").await;
    client.get("/remember").await;
    let logged_in = client.cookies.clone();
    address.change();
    assert_eq!(client.get("/").await.text, "- stale");
    assert_eq!(client.get("/keys").await.text, "cart");
    let session = [("session".to_owned(), logged_in["session"].clone())].into();
    assert_eq!(with(&client, &session).await, "- stale");
    client.get("/login").await;
    assert_eq!(client.get("/sessions").await.text, "1");
}

#[tokio::test]
async fn revocations_end_copies_of_the_cookie() {
    let layer = flask().with_revocations(MemoryStore::new());
    let (mut client, _) = site(layer, FlaskLogin::default());
    client.get("/login").await;
    let copy = client.cookies.clone();
    assert_eq!(with(&client, &copy).await, "42 fresh");
    client.get("/logout").await;
    assert_eq!(client.get("/").await.text, "- stale");
    assert_eq!(with(&client, &copy).await, "- stale");
}
