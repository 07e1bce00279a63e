use carafe::flask_login::{FlaskLogin, Protection, Release};

use crate::app::{protected, site};
use crate::support::flask;

#[tokio::test]
async fn another_address_is_what_the_protection_makes_of_it() {
    for (protection, seen) in [
        (Protection::None, "42 fresh"),
        (Protection::Basic, "42 stale"),
        (Protection::Strong, "- stale"),
    ] {
        let (mut client, address) = site(flask(), protected(protection));
        client.get("/cart").await;
        client.get("/remember").await;
        assert_eq!(client.get("/").await.text, "42 fresh");
        address.change();
        assert_eq!(client.get("/").await.text, seen, "{protection:?}");
        let remembered = client.cookies.contains_key("remember_token");
        assert_eq!(remembered, protection != Protection::Strong);
        assert!(client.get("/keys").await.text.contains("cart"));
    }
}

#[tokio::test]
async fn a_permanent_session_is_only_made_stale() {
    let (mut client, address) = site(flask(), protected(Protection::Strong));
    client.get("/login").await;
    client.get("/permanent").await;
    address.change();
    assert_eq!(client.get("/").await.text, "42 stale");
}

#[tokio::test]
async fn the_releases_never_agree_on_a_client() {
    let logins = |release| FlaskLogin::default().release(release);
    let (mut old, _) = site(flask(), logins(Release::V0_6));
    let (mut new, _) = site(flask(), logins(Release::V0_7));
    old.get("/login").await;
    new.cookies = old.cookies.clone();
    assert_eq!(new.get("/").await.text, "42 stale");
    new.get("/confirm").await;
    assert_eq!(new.get("/").await.text, "42 fresh");
}
