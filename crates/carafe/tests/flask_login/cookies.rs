use carafe::ErrorKind;
use carafe::flask_login::{FlaskLogin, Release};

use crate::app::site;
use crate::support::{Log, flask, in_session};

#[tokio::test]
async fn a_login_is_flask_logins_and_keeps_what_the_visitor_had() {
    let (mut client, _) = site(flask(), FlaskLogin::default());
    client.get("/cart").await;
    assert_eq!(client.get("/account").await.status, 401);
    client.get("/login").await;
    assert_eq!(client.get("/keys").await.text, "_fresh _id _user_id cart");
    assert_eq!(client.get("/account").await.text, "42");
    assert_eq!(client.get("/").await.text, "42 fresh");
    assert_eq!(client.cookies.len(), 1, "nobody asked to be remembered");
    client.get("/logout").await;
    assert_eq!(client.get("/keys").await.text, "cart");
    assert_eq!(client.get("/").await.text, "- stale");
}

#[tokio::test]
async fn a_remembered_user_comes_back_and_is_not_fresh() {
    let (mut client, _) = site(flask(), FlaskLogin::default());
    let answer = client.get("/remember").await;
    let lines = answer.all("set-cookie");
    assert!(lines[0].starts_with("remember_token=42|"), "before the session's, as Flask has it");
    assert!(lines[0].ends_with("; Expires=Wed, 13 Nov 2024 22:13:20 GMT; HttpOnly; Path=/"));
    // The browser is closed.
    client.cookies.remove("session");
    assert_eq!(client.get("/").await.text, "42 stale");
    client.get("/confirm").await;
    assert_eq!(client.get("/").await.text, "42 fresh");
    client.get("/logout").await;
    assert!(client.cookies.is_empty());
    assert_eq!(client.get("/").await.text, "- stale");
}

#[tokio::test]
async fn only_a_token_that_the_key_signed_restores_a_user() {
    let (mut client, _) = site(flask(), FlaskLogin::default());
    client.get("/remember").await;
    client.cookies.remove("session");
    let token = client.cookies["remember_token"].clone();
    let mac = token.strip_prefix("42|").unwrap();
    for bad in
        [format!("43|{mac}"), mac.to_owned(), format!("42|{}", "0".repeat(128)), String::new()]
    {
        client.cookies.insert("remember_token".to_owned(), bad);
        assert_eq!(client.get("/account").await.status, 401);
    }
}

#[tokio::test]
async fn ids_that_are_no_users_log_nobody_in() {
    let (mut client, _) = site(flask(), FlaskLogin::default().user_ids(|id| id != "42"));
    client.get("/remember").await;
    assert_eq!(client.get("/account").await.status, 401);
}

#[tokio::test]
async fn each_response_varies_with_the_session_as_in_flask() {
    let (mut client, _) = site(flask(), FlaskLogin::default());
    assert_eq!(client.get("/plain").await.vary(), Some("Cookie"));
}

/// Release 0.6 gives each user the cookie at the next response; 0.7 only those who have it.
#[tokio::test]
async fn a_renewal_at_each_request_is_that_of_the_release() {
    for (release, renewed) in [(Release::V0_6, true), (Release::V0_7, false)] {
        let logins = FlaskLogin::default().release(release);
        let (mut client, _) = site(flask(), logins.remember_cookie_refresh_each_request(true));
        client.get("/login").await;
        client.get("/plain").await;
        assert_eq!(client.cookies.contains_key("remember_token"), renewed);
        client.get("/remember").await;
        assert!(client.get("/plain").await.all("set-cookie")[0].starts_with("remember_token="));
        client.get("/logout").await;
        assert!(!client.cookies.contains_key("remember_token"));
        assert_eq!(client.get("/").await.text, "- stale");
    }
}

#[tokio::test]
async fn settings_that_no_browser_follows_are_refused() {
    let logins = FlaskLogin::default().remember_cookie_name("a b");
    let error = flask().flask_login(logins).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
    assert!(error.to_string().contains("REMEMBER_COOKIE_NAME"), "{error}");
}

#[tokio::test]
async fn without_the_setting_a_login_says_that_it_drops_flask_logins() {
    let log = Log::capture();
    let ((), _) = in_session(flask(), |session| {
        for (key, value) in [("_user_id", "7"), ("_id", "x"), ("_fresh", "x")] {
            session.insert(key, value).unwrap();
        }
        session.login("42").unwrap();
        assert_eq!(session.confirm_login().unwrap_err().kind(), ErrorKind::Setting);
        assert!(!session.login_is_fresh());
    })
    .await;
    let text = log.text();
    assert!(text.contains("WARN") && text.contains("session.flask_login_dropped"), "{text}");
}

#[tokio::test]
async fn flask_securitys_keys_come_and_go_with_the_login() {
    let (mut client, _) = site(flask(), FlaskLogin::default().flask_security(true));
    client.get("/login").await;
    assert_eq!(client.get("/keys").await.text, "_fresh _id _user_id fs_cc fs_paa");
    client.get("/logout").await;
    assert_eq!(client.get("/keys").await.text, "fs_cc");
}

#[tokio::test]
async fn carafes_own_names_mean_flask_logins_state() {
    let (mut client, _) = site(flask(), FlaskLogin::default());
    client.get("/own/remember").await;
    assert!(client.cookies.contains_key("remember_token"));
    assert_eq!(client.get("/own/fresh").await.text, "42");
    client.cookies.remove("session");
    assert_eq!(client.get("/own/fresh").await.status, 401);
    client.get("/own/confirm").await;
    assert_eq!(client.get("/own/fresh").await.text, "42");
    assert_eq!(client.get("/keys").await.text, "_fresh _id _user_id");
}

#[tokio::test]
async fn a_login_in_two_steps_is_flask_logins_after_the_second() {
    let (mut client, _) = site(flask(), FlaskLogin::default());
    client.get("/own/first").await;
    assert_eq!(client.get("/").await.text, "- stale");
    client.get("/own/second").await;
    assert_eq!(client.get("/").await.text, "42 fresh");
    client.get("/logout").await;
    assert_eq!(client.get("/keys").await.text, "");
}
