//! The page's content, for each kind of visitor.

use axum::Router;
use carafe::store::MemoryStore;
use carafe::{Clock, SecretKey, SessionLayer};
use carafe_sessions_page::SessionsPage;

use crate::app::{Buttons, PAGE, app, browser, routes, sessions, who};
use crate::support::{Client, NOW};

#[tokio::test]
async fn a_session_has_its_agent_address_and_times() {
    let clock = Clock::fixed(NOW);
    let app = routes(SessionsPage::new()).layer(sessions(MemoryStore::new(), &clock));
    let mut phone = browser(&app, "ann", "Phone").await;
    clock.advance(86_400);
    let mut laptop = browser(&app, "ann", "-").await;
    clock.advance(3600);
    let html = laptop.get(PAGE).await.text;
    let items: Vec<&str> = html.split("<li").skip(1).collect();
    assert_eq!(items.len(), 2, "{html}");
    // This one comes first.
    assert!(items[0].starts_with(" class=\"current\">"), "{html}");
    for part in ["Unknown device", "This session", "2023-11-15 22:13 UTC", "Sign out"] {
        assert!(items[0].contains(part), "{part}: {html}");
    }
    assert!(!items[0].contains("Address"), "{html}");
    assert!(items[1].starts_with('>') && !items[1].contains("This session"), "{html}");
    for part in ["<h2>Phone</h2>", "203.0.113.7", "2023-11-14 22:13 UTC", ">End<"] {
        assert!(items[1].contains(part), "{part}: {html}");
    }
    let html = phone.get(PAGE).await.text;
    let (first, rest) = html.split_once("</li>").unwrap();
    assert!(first.contains("<li class=\"current\">\n<h2>Phone</h2>"), "{html}");
    assert!(rest.contains("<li>\n<h2>Unknown device</h2>"), "{html}");
}

#[tokio::test]
async fn the_last_use_moves() {
    let clock = Clock::fixed(NOW);
    let app = routes(SessionsPage::new()).layer(sessions(MemoryStore::new(), &clock));
    let mut client = browser(&app, "ann", "Phone").await;
    clock.advance(86_400);
    assert_eq!(who(&mut client).await, "ann");
    let html = client.get(PAGE).await.text;
    assert!(html.contains("<dt>Signed in</dt><dd><time datetime=\"2023-11-14T22:13Z\">"), "{html}");
    assert!(html.contains("<dt>Last seen</dt><dd><time datetime=\"2023-11-15T22:13Z\">"), "{html}");
}

#[tokio::test]
async fn nobody_sees_the_sessions_of_others() {
    let app = app(SessionsPage::new());
    browser(&app, "ann", "Phone-of-ann").await;
    let mut other = browser(&app, "ben", "Phone-of-ben").await;
    let html = other.get(PAGE).await.text;
    assert!(html.contains("Phone-of-ben") && !html.contains("Phone-of-ann"), "{html}");
}

#[tokio::test]
async fn what_a_user_agent_says_is_text() {
    let app = app(SessionsPage::new());
    let agent = "%3Cscript%3E%26%22'%3C%2Fscript%3E";
    let html = browser(&app, "ann", agent).await.get(PAGE).await.text;
    assert!(!html.contains("<script"), "{html}");
    let escaped = "&lt;script&gt;&amp;&#34;&#39;&lt;/script&gt;";
    assert!(html.contains(&format!("<h2>{escaped}</h2>")), "{html}");
    assert!(html.contains(&format!("aria-label=\"Sign out: {escaped}\"")), "{html}");
}

#[tokio::test]
async fn the_page_is_for_nobody_else_and_for_no_cache() {
    let answer = browser(&app(SessionsPage::new()), "ann", "Phone").await.get(PAGE).await;
    assert_eq!(answer.one("cache-control"), Some("no-store"));
    assert_eq!(answer.vary(), Some("Cookie"));
    assert_eq!(answer.one("content-type"), Some("text/html; charset=utf-8"));
    let policy = answer.one("content-security-policy").unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn who_is_not_signed_in_gets_401_or_the_login() {
    let layer = || sessions(MemoryStore::new(), &Clock::fixed(NOW));
    for path in ["/who", "/anonymous"] {
        let mut visitor = Client::new(routes(SessionsPage::new()).layer(layer()));
        visitor.get(path).await;
        for answer in [visitor.get(PAGE).await, visitor.post(PAGE, "end=all").await] {
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (401, "Unauthorized"));
            assert_eq!(answer.one("cache-control"), Some("no-store"));
        }
        let layer = layer().with_login_page("/login").unwrap();
        let mut visitor = Client::new(routes(SessionsPage::new()).layer(layer));
        visitor.get(path).await;
        let answer = visitor.get(PAGE).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.one("location"), Some("/login?next=/account/sessions"));
        assert_eq!(answer.set_cookie(), None, "an anonymous visitor gets no session");
        assert_eq!(visitor.post(PAGE, "end=all").await.status, 401);
    }
}

#[tokio::test]
async fn the_texts_are_the_applications() {
    let page = SessionsPage::new().home("/konto?a=1&b=2").unwrap().texts(|texts| {
        texts.language = "de".to_owned();
        texts.title = "Ihre <Sitzungen>".to_owned();
        texts.sign_out = "Abmelden".to_owned();
    });
    let mut client = browser(&app(page), "ann", "Phone").await;
    let answer = client.get(PAGE).await;
    for part in [
        "<html lang=\"de\">",
        "<title>Ihre &lt;Sitzungen&gt;</title>",
        "<h1>Ihre &lt;Sitzungen&gt;</h1>",
        "<a href=\"/konto?a=1&amp;b=2\">",
    ] {
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    assert_eq!(Buttons::read(&answer).names(), ["Abmelden: Phone", "Sign out everywhere"]);
}

#[tokio::test]
async fn a_stylesheet_replaces_the_pages_own() {
    let page = SessionsPage::new().stylesheet("/style.css").unwrap();
    let answer = browser(&app(page), "ann", "Phone").await.get(PAGE).await;
    assert!(answer.text.contains("<link rel=\"stylesheet\" href=\"/style.css\">"));
    assert!(!answer.text.contains("<style"), "{}", answer.text);
    let policy = answer.one("content-security-policy").unwrap();
    assert!(policy.contains("style-src 'self'"), "{policy}");
}

#[tokio::test]
async fn a_router_may_nest_it() {
    let router = Router::new().nest_service("/me", SessionsPage::new());
    let clock = Clock::fixed(NOW);
    let app = routes(SessionsPage::new()).merge(router).layer(sessions(MemoryStore::new(), &clock));
    let mut client = browser(&app, "ann", "Phone").await;
    for path in ["/me", "/me/"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let form = Buttons::read(&answer).form("Sign out everywhere");
        assert_eq!(client.post(path, &form).await.status, 303);
        client = browser(&app, "ann", "Phone").await;
    }
}

#[tokio::test]
async fn sessions_in_cookies_cannot_be_listed() {
    let layer = SessionLayer::signed(SecretKey::random().unwrap())
        .unwrap()
        .on_error(|error| (error.status(), error.to_string()));
    let mut client = browser(&routes(SessionsPage::new()).layer(layer), "ann", "Phone").await;
    let answer = client.get(PAGE).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains("SessionLayer::stored"), "{}", answer.text);
}

/// Neither the page nor what a visitor's browser makes of it grows with the number of sessions.
#[tokio::test]
async fn many_sessions_are_shown_in_parts() {
    let clock = Clock::fixed(NOW);
    let app = routes(SessionsPage::new()).layer(sessions(MemoryStore::new(), &clock));
    for number in 0..119 {
        browser(&app, "ann", &format!("Phone-{number}-")).await;
    }
    let mut client = browser(&app, "ann", "Laptop").await;
    let mut seen = std::collections::BTreeSet::new();
    let (mut page, mut pages) = (PAGE.to_owned(), 0);
    loop {
        let html = client.get(&page).await.text;
        assert!(html.len() < 30_000, "{} bytes", html.len());
        seen.extend(
            html.split("<h2>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()),
        );
        // One can end all the others from each part, and this one from the first.
        assert!(html.contains(">End all other sessions<"), "{html}");
        assert_eq!(html.contains("This session"), pages == 0);
        assert_eq!(html.contains("rel=\"prev\""), pages > 0);
        pages += 1;
        let Some((_, next)) = html.split_once("rel=\"next\" href=\"") else { break };
        page = format!("{PAGE}{}", next.split('"').next().unwrap());
    }
    assert_eq!((pages, seen.len()), (3, 120));
    // Beyond the last part is the last part.
    let html = client.get(&format!("{PAGE}?part=99")).await.text;
    assert!(
        html.contains("rel=\"prev\" href=\"?part=2\"") && !html.contains("rel=\"next\""),
        "{html}"
    );
}

#[tokio::test]
async fn a_button_of_a_part_leads_back_to_it() {
    let clock = Clock::fixed(NOW);
    let app = routes(SessionsPage::new()).layer(sessions(MemoryStore::new(), &clock));
    for _ in 0..60 {
        browser(&app, "ann", "Phone").await;
    }
    let mut client = browser(&app, "ann", "Laptop").await;
    let second = format!("{PAGE}?part=2");
    let buttons = Buttons::read(&client.get(&second).await);
    let form = buttons.form("End: Phone");
    let answer = client.post(&second, &form).await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, Some("?part=2")));
    assert_eq!(client.get(&second).await.text.matches("<li").count(), 10);
}
