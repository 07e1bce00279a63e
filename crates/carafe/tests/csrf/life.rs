//! The life of a token, which is the life of its session.

use axum::http::Request;
use carafe::SessionLayer;

use crate::visitor::{HOME, Visitor, key};

#[tokio::test]
async fn the_tokens_of_before_a_login_are_dead_after_it() {
    for start in ["/plain", "/start"] {
        for mut visitor in Visitor::of_all_layers() {
            visitor.get(start).await;
            let before = visitor.token().await;
            assert_eq!(visitor.post("/login", &before).await.status, 200);
            assert!(!visitor.passes(&before).await, "no page has shown the new token yet");
            let after = visitor.token().await;
            assert!(visitor.passes(&after).await);
            assert!(!visitor.passes(&before).await);

            // A second login begins another session, too.
            assert_eq!(visitor.post("/login", &after).await.status, 200);
            assert!(!visitor.passes(&after).await);
        }
    }
}

#[tokio::test]
async fn a_page_that_a_login_shows_has_the_new_token() {
    for start in ["/plain", "/start"] {
        for mut visitor in Visitor::of_all_layers() {
            visitor.get(start).await;
            let before = visitor.token().await;
            let after = visitor.post("/login-and-token", &before).await.text;
            assert!(visitor.passes(&after).await);
            assert!(!visitor.passes(&before).await);
            let last = visitor.post("/logout-and-token", &after).await.text;
            assert!(visitor.passes(&last).await);
            assert!(!visitor.passes(&after).await && !visitor.passes(&before).await);
            assert_eq!(visitor.get("/keys").await.text, "", "the token began a session");
        }
    }
}

#[tokio::test]
async fn the_tokens_of_a_session_are_dead_after_its_logout() {
    for mut visitor in Visitor::of_all_layers() {
        let before = visitor.token().await;
        visitor.post("/login", &before).await;
        let token = visitor.token().await;
        assert!(!visitor.cookies.keys().any(|name| name.ends_with("_csrf")), "of no more use");
        assert_eq!(visitor.post("/logout", &token).await.status, 200);
        assert!(visitor.cookies.is_empty());
        assert!(!visitor.passes(&token).await);
        let anonymous = visitor.token().await;
        assert!(!visitor.passes(&token).await && !visitor.passes(&before).await);
        assert!(visitor.passes(&anonymous).await);
    }
}

#[tokio::test]
async fn a_new_id_keeps_the_token() {
    for mut visitor in Visitor::of_all_layers() {
        let before = visitor.token().await;
        visitor.post("/login", &before).await;
        let token = visitor.token().await;
        assert_eq!(visitor.post("/rotate", &token).await.status, 200);
        assert!(visitor.passes(&token).await);
    }
}

#[tokio::test]
async fn a_session_has_none_of_its_visitors_tokens() {
    for mut visitor in Visitor::of_all_layers() {
        let before = visitor.token().await;
        visitor.get("/start").await;
        assert!(!visitor.passes(&before).await, "a session with a login needs a new token");
        let token = visitor.token().await;
        assert!(visitor.passes(&token).await);
        visitor.get("/end").await;
        assert!(!visitor.passes(&token).await);
    }
}

#[tokio::test]
async fn a_page_that_begins_a_session_after_its_token_was_made() {
    for mut visitor in Visitor::of_all_layers() {
        let old = visitor.token().await;
        let token = visitor.get("/token-then-start").await.text;
        assert!(visitor.passes(&token).await && visitor.passes(&old).await);
        assert!(!visitor.cookies.keys().any(|name| name.ends_with("_csrf")));

        // The form may be a login, as in Flask's tutorial: the session takes nothing over.
        let mut visitor = visitor.other();
        let before = visitor.token().await;
        let token = visitor.post("/token-then-start", &before).await.text;
        assert_eq!(visitor.get("/keys").await.text, "_carafe_csrf visits");
        assert!(!visitor.passes(&token).await && !visitor.passes(&before).await);

        // A login takes nothing over, however it is sent.
        let mut visitor = visitor.other();
        let token = visitor.get("/token-then-login").await.text;
        assert!(!visitor.passes(&token).await);
    }
}

#[tokio::test]
async fn a_session_of_nothing_but_messages() {
    for page in ["/token-then-flashes", "/flashes-then-token"] {
        for mut visitor in Visitor::of_all_layers() {
            let other_tab = visitor.token().await;
            visitor.get("/flash").await;
            let token = visitor.get(page).await.text;
            assert!(visitor.passes(&token).await, "{page}");
            if visitor.get("/keys").await.text.is_empty() {
                assert!(visitor.passes(&other_tab).await, "the visitor is the one of before");
            }
        }
    }
}

/// All first forms of a session are valid, in any order of the responses.
#[tokio::test]
async fn forms_that_are_loaded_at_the_same_moment_all_pass() {
    for login in [false, true] {
        for mut visitor in Visitor::of_all_layers() {
            if login {
                let token = visitor.token().await;
                visitor.post("/login", &token).await;
            } else {
                visitor.get("/start").await;
            }
            // One browser sends two requests with the same cookies.
            let cookies = visitor.cookies.clone();
            let mut tokens = Vec::new();
            let mut after = Vec::new();
            for _tab in 0..2 {
                visitor.cookies = cookies.clone();
                tokens.push(visitor.token().await);
                after.push(visitor.cookies.clone());
            }
            for cookies in after {
                visitor.cookies = cookies;
                for token in &tokens {
                    assert!(visitor.passes(token).await, "login: {login}");
                }
            }
        }
    }
}

/// Flashed messages begin no lasting session, and so keep the visitor's forms valid.
#[tokio::test]
async fn a_message_leaves_the_forms_of_a_visitor_alone() {
    for mut visitor in Visitor::of_all_layers().take(3) {
        let form = visitor.token().await;
        visitor.get("/flash").await;
        visitor.get("/flashes").await;
        assert!(visitor.passes(&form).await);
        assert_eq!(visitor.get("/keys").await.text, "");
    }
}

#[tokio::test]
async fn the_session_keeps_the_token_under_a_reserved_key() {
    for mut visitor in Visitor::of_all_layers() {
        visitor.get("/start").await;
        assert_eq!(visitor.get("/keys").await.text, "_carafe_csrf visits");
        assert!(visitor.get("/token").await.set_cookies().is_empty(), "written once");
    }
}

#[tokio::test]
async fn forms_that_are_refused_change_nothing() {
    for mut visitor in Visitor::of_all_layers() {
        visitor.get("/start").await;
        let token = visitor.token().await;
        let cookies = visitor.cookies.clone();
        for request in [
            Request::post("/login")
                .header("origin", "https://evil.example")
                .header("x-csrf-token", &token),
            Request::post("/login").header("origin", HOME).header("x-csrf-token", "wrong"),
        ] {
            let answer = visitor.send(request, "").await;
            assert_eq!(answer.status, 403);
            assert!(answer.set_cookies().is_empty());
        }
        assert_eq!(visitor.cookies, cookies);
        assert!(visitor.passes(&token).await);
    }
}

#[tokio::test]
async fn a_value_under_the_reserved_key_that_is_no_secret_is_replaced() {
    use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    use carafe::value::{Dict, Value};

    let serializer = UrlSafeTimedSerializer::new(&key().into(), &SigningOptions::default());
    for bad in [Value::from(1), Value::from("short"), Value::from("A".repeat(44)), Value::Null] {
        let session = Value::from(Dict::from([("_carafe_csrf", bad)]));
        let mut visitor = Visitor::new(SessionLayer::flask(key()));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let cookie = serializer.dumps(&session, now.as_secs()).unwrap();
        visitor.cookies.insert("session".to_owned(), cookie);
        assert!(!visitor.passes(&"A".repeat(86)).await);
        let token = visitor.token().await;
        assert!(visitor.passes(&token).await);
    }
}
