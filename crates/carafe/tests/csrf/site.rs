//! Rules 1 to 3: the browser's statements about the source of a request.

use axum::http::{HeaderValue, Method, Request};
use carafe::SessionLayer;
use carafe::csrf::CsrfLayer;

use crate::visitor::{Answer, HOME, Visitor, csrf, key};

const ORIGIN: &str = "origin";
const SITE: &str = "sec-fetch-site";

/// Sends a request with the right token and these headers.
async fn send(visitor: &mut Visitor, method: Method, headers: &[(&str, &str)]) -> Answer {
    let token = visitor.token().await;
    visitor.runs.take();
    let mut request = Request::builder().method(method).uri("/do").header("x-csrf-token", token);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    visitor.send(request, "").await
}

/// Returns whether such a request passes, for all unsafe methods.
async fn passes(visitor: &mut Visitor, headers: &[(&str, &str)]) -> bool {
    let mut passed = Vec::new();
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE", "get", "Options"] {
        let answer = send(visitor, method.parse().unwrap(), headers).await;
        let ran = visitor.runs.take() == 1;
        assert_eq!(ran, answer.status == 200, "{}", answer.text);
        assert!(ran || answer.status == 403, "{}", answer.status);
        passed.push(ran);
    }
    assert!(passed.iter().all(|ran| *ran == passed[0]), "{passed:?}");
    passed[0]
}

#[tokio::test]
async fn safe_methods_pass_whatever_they_say() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        for headers in [&[][..], &[(ORIGIN, "https://evil.example"), (SITE, "cross-site")]] {
            let mut request = Request::builder().method(method.clone()).uri("/do");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(visitor.send(request, "").await.status, 200, "{method}");
        }
    }
}

#[tokio::test]
async fn origin_and_sec_fetch_site_are_exact() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    let admin = "https://admin.shop.example:8443";
    for accepted in [
        &[(ORIGIN, HOME)][..],
        &[(ORIGIN, HOME), (SITE, "same-origin")],
        &[(ORIGIN, HOME), (SITE, "none")],
        &[(SITE, "same-origin")],
        &[(SITE, "none")],
        // From a page with `Referrer-Policy: no-referrer`.
        &[(ORIGIN, "null"), (SITE, "same-origin")],
        &[(ORIGIN, admin)],
        // From a page of another origin of the service.
        &[(ORIGIN, admin), (SITE, "same-site")],
        &[(ORIGIN, admin), (SITE, "cross-site")],
    ] {
        assert!(passes(&mut visitor, accepted).await, "{accepted:?}");
    }
    // From a sandboxed frame, a `data:` URL or a file, or from a page that hides where it is.
    for site in ["none", "same-site", "cross-site", "", "same-origin "] {
        let both = [(ORIGIN, "null"), (SITE, site)];
        assert!(!passes(&mut visitor, &both).await, "{both:?}");
    }
    assert!(!passes(&mut visitor, &[(ORIGIN, "null")]).await);
    for origin in [
        "NULL",
        "null null",
        "",
        "*",
        "http://shop.example",
        "https://shop.example:443",
        "https://shop.example:8443",
        "https://shop.example/",
        "https://shop.example.",
        "https://Shop.example",
        "HTTPS://shop.example",
        "https://shop.example.evil.example",
        "https://evil.example#https://shop.example",
        "https://evilshop.example",
        "https://sub.shop.example",
        "https://admin.shop.example",
        "https://user@shop.example",
        "https://shop.example https://evil.example",
        "shop.example",
        "\u{ff}",
    ] {
        for site in ["same-origin", "none", "same-site", "cross-site"] {
            let both = [(ORIGIN, origin), (SITE, site)];
            assert!(!passes(&mut visitor, &both).await, "{both:?}");
        }
        assert!(!passes(&mut visitor, &[(ORIGIN, origin)]).await, "{origin:?}");
    }
    for site in [
        "same-site",
        "cross-site",
        "",
        "Same-Origin",
        "same-origin2",
        "same-origin, cross-site",
        "\u{ff}",
    ] {
        assert!(!passes(&mut visitor, &[(SITE, site)]).await, "{site:?}");
    }
}

#[tokio::test]
async fn a_request_that_says_nothing_is_refused() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    assert!(!passes(&mut visitor, &[]).await);
    for nothing in [
        &[("host", "shop.example")][..],
        &[("referer", "https://shop.example/form")],
        &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
    ] {
        assert!(!passes(&mut visitor, nothing).await, "{nothing:?}");
    }
    let answer = send(&mut visitor, Method::POST, &[]).await;
    assert!(answer.text.contains("neither by Origin nor by Sec-Fetch-Site"), "{}", answer.text);
}

#[tokio::test]
async fn what_is_said_twice_is_refused() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    for twice in [
        [(ORIGIN, HOME), (ORIGIN, HOME)],
        [(ORIGIN, HOME), (ORIGIN, "https://evil.example")],
        [(SITE, "same-origin"), (SITE, "same-origin")],
        [(SITE, "same-origin"), (SITE, "cross-site")],
    ] {
        assert!(!passes(&mut visitor, &twice).await, "{twice:?}");
    }
}

#[tokio::test]
async fn forwarded_headers_and_the_host_are_not_believed() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    let evil = "https://evil.example";
    for name in ["host", "x-forwarded-host", "x-forwarded-server", "x-original-host"] {
        let headers = [(ORIGIN, evil), (name, "evil.example"), ("x-forwarded-proto", "https")];
        assert!(!passes(&mut visitor, &headers).await, "{name}");
    }
    let forwarded = [(ORIGIN, evil), ("forwarded", "host=evil.example;proto=https")];
    assert!(!passes(&mut visitor, &forwarded).await);
    // Nor do they take anything from a request that is good.
    assert!(passes(&mut visitor, &[(ORIGIN, HOME), ("host", "10.0.0.1:8080")]).await);
}

#[tokio::test]
async fn the_same_host_only_where_that_is_asked_for() {
    let mut visitor = Visitor::with(SessionLayer::flask(key()), CsrfLayer::same_host());
    for accepted in [
        &[(ORIGIN, "http://localhost:5000"), ("host", "localhost:5000")][..],
        &[(ORIGIN, "https://localhost:5000"), ("host", "localhost:5000"), (SITE, "same-origin")],
        &[(SITE, "same-origin")],
        &[(ORIGIN, "null"), (SITE, "same-origin"), ("host", "localhost:5000")],
    ] {
        assert!(passes(&mut visitor, accepted).await, "{accepted:?}");
    }
    let host = ("host", "localhost:5000");
    for refused in [
        &[(ORIGIN, "http://localhost:5001"), host][..],
        &[(ORIGIN, "http://localhost"), host],
        &[(ORIGIN, "localhost:5000"), host],
        &[(ORIGIN, "ftp://localhost:5000"), host],
        &[(ORIGIN, "null"), host],
        &[(ORIGIN, "null"), host, (SITE, "none")],
        &[(ORIGIN, "http://localhost:5000")],
        &[(ORIGIN, "http://localhost:5000"), ("x-forwarded-host", "localhost:5000")],
        &[(ORIGIN, "http://localhost:5000"), host, host],
        // From HTTP to HTTPS, or the other way round.
        &[(ORIGIN, "http://localhost:5000"), host, (SITE, "cross-site")],
        &[(ORIGIN, "http://"), ("host", "")],
        &[host],
    ] {
        assert!(!passes(&mut visitor, refused).await, "{refused:?}");
    }
}

#[tokio::test]
async fn the_target_of_http_2_is_the_host() {
    let mut visitor = Visitor::with(SessionLayer::flask(key()), CsrfLayer::same_host());
    let token = visitor.token().await;
    let request = |origin: &str| {
        Request::post("https://shop.example/do")
            .header(ORIGIN, origin)
            .header("host", "evil.example")
            .header("x-csrf-token", &token)
    };
    let accepted = request(HOME);
    let refused = request("https://evil.example");
    assert_eq!(visitor.send(accepted, "").await.status, 200);
    assert_eq!(visitor.send(refused, "").await.status, 403);
}

#[tokio::test]
async fn what_is_exempt_passes() {
    let exempt = csrf().exempt(|request| request.uri.path() == "/exempt");
    let mut visitor = Visitor::with(SessionLayer::flask(key()), exempt);
    let request = || Request::post("/exempt").header(SITE, "cross-site");
    assert_eq!(visitor.send(request(), "").await.status, 200);
    assert_eq!(visitor.runs.take(), 1);
    let mut strict = Visitor::new(SessionLayer::flask(key()));
    assert_eq!(strict.send(request(), "").await.status, 403);
    assert_eq!(strict.runs.take(), 0);
    assert_eq!(visitor.send(Request::post("/do"), "").await.status, 403);
}
