//! Rule 4: the places of a token, and its validity.

use axum::http::Request;
use carafe::SessionLayer;

use crate::visitor::{Answer, HOME, Visitor, key};

/// Sends a request of the application's own page, with these headers and this form.
async fn send(visitor: &mut Visitor, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
    let mut request = Request::post(path).header("origin", HOME);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    visitor.send(request, form.to_owned()).await
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn a_header_or_a_field_has_the_token() {
    for start in ["/plain", "/start"] {
        for mut visitor in Visitor::of_all_layers() {
            visitor.get(start).await;
            let token = visitor.token().await;
            let field = format!("a=b&csrf_token={token}&c=d");
            for (headers, form) in [
                (&[("x-csrf-token", token.as_str())][..], ""),
                (&[("x-csrftoken", &token)], ""),
                (&[("X-CSRFToken", &token), ("content-type", "application/json")], "{}"),
                (&[FORM], &field),
            ] {
                let answer = send(&mut visitor, "/do", headers, form).await;
                assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, form));
            }
        }
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_refused_before_its_handler() {
    for mut visitor in Visitor::of_all_layers() {
        let token = visitor.token().await;
        let (query, field) = (format!("/do?csrf_token={token}"), format!("csrf_token={token}"));
        let cookie = format!("csrf_token={token}");
        for (path, headers, form) in [
            ("/do", &[][..], ""),
            ("/do", &[FORM], "a=b"),
            ("/do", &[FORM], ""),
            (query.as_str(), &[FORM], ""),
            (&query, &[], ""),
            // A form that doesn't say so, or says it is something else.
            ("/do", &[], &field),
            ("/do", &[("content-type", "text/plain")], &field),
            ("/do", &[("content-type", "application/json")], &field),
            ("/do", &[("content-type", "multipart/form-data")], &field),
            ("/do", &[("x-csrf-tokens", token.as_str())], ""),
            ("/do", &[("x-xsrf-token", &token)], ""),
            ("/do", &[("cookie", &cookie)], ""),
        ] {
            let answer = send(&mut visitor, path, headers, form).await;
            assert_eq!(answer.status, 403, "{path} {headers:?} {form}");
            assert!(answer.text.starts_with("the CSRF token is missing"), "{}", answer.text);
            assert_eq!(answer.all("content-type"), ["text/plain; charset=utf-8"]);
            assert_eq!(visitor.runs.take(), 0);
        }
    }
}

#[tokio::test]
async fn a_header_decides_over_a_field() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    let token = visitor.token().await;
    let field = format!("csrf_token={token}");
    let answer = send(&mut visitor, "/do", &[FORM, ("x-csrf-token", "wrong")], &field).await;
    assert_eq!(answer.status, 403);
    let right = [FORM, ("x-csrf-token", token.as_str())];
    assert_eq!(send(&mut visitor, "/do", &right, "csrf_token=wrong").await.status, 200);
}

#[tokio::test]
async fn a_token_that_was_changed_is_refused() {
    for mut visitor in
        [SessionLayer::flask(key()), SessionLayer::sealed(key()).unwrap()].map(Visitor::new)
    {
        for start in ["/plain", "/start"] {
            visitor.get(start).await;
            let token = visitor.token().await;
            assert!(visitor.passes(&token).await);
            for at in 0..token.len() {
                let other = if &token[at..=at] == "A" { "B" } else { "A" };
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert!(!visitor.passes(&changed).await, "{at}");
                assert!(!visitor.passes(&token[..at]).await, "{at}");
            }
            for wrong in ["", "null", &"A".repeat(86), &format!("{token}A"), &format!("{token}%3D")]
            {
                assert!(!visitor.passes(wrong).await, "{wrong}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_is_its_visitors_alone() {
    for start in ["/plain", "/start"] {
        for mut visitor in Visitor::of_all_layers() {
            visitor.get(start).await;
            let token = visitor.token().await;
            let mut attacker = visitor.other();
            attacker.get(start).await;
            let of_attacker = attacker.token().await;
            assert!(visitor.passes(&token).await && attacker.passes(&of_attacker).await);
            assert!(!visitor.passes(&of_attacker).await, "an attacker's own token");
            assert!(!attacker.passes(&token).await);
            // A browser without any cookie is refused.
            assert!(!visitor.other().passes(&token).await);
        }
    }
}

#[tokio::test]
async fn every_page_has_a_token_of_its_own_and_all_of_them_pass() {
    for mut visitor in Visitor::of_all_layers() {
        for start in ["/plain", "/start"] {
            visitor.get(start).await;
            let [one, two] = [visitor.token().await, visitor.token().await];
            assert_ne!(one, two);
            assert!(visitor.passes(&one).await && visitor.passes(&two).await);
            assert!(visitor.passes(&one).await, "a second time, after the back button");
        }
    }
}

#[tokio::test]
async fn the_field_is_an_input_that_needs_no_escaping() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    let field = visitor.get("/field").await.text;
    let token = field
        .strip_prefix(r#"<input type="hidden" name="csrf_token" value=""#)
        .and_then(|rest| rest.strip_suffix(r#"">"#))
        .unwrap();
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert!(visitor.passes(token).await);
}
