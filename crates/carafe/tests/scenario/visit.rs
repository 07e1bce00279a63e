//! The visit: a visitor's actions in the shop, and the expected responses.

use carafe::http::Request;

use crate::browser::{Browser, Server};
use crate::shop::ORIGIN;

pub(crate) async fn run<S: Server>(shop: &S) {
    log_in_and_out(shop).await;
    shop_in_two_tabs(shop).await;
    come_from_elsewhere(shop).await;
    meet_errors(shop).await;
    stay_a_stranger(shop).await;
}

async fn log_in_and_out<S: Server>(shop: &S) {
    let mut browser = Browser::new(shop);
    assert_eq!(browser.index().await, "a guest;;");
    browser.post("/add", "item=pear").await;
    assert_eq!(browser.index().await, "a guest;1 pear;added pear");
    assert_eq!(browser.index().await, "a guest;1 pear;", "a message is shown once");

    let answer = browser.get("/account?page=2").await;
    assert_eq!(answer.status, 303);
    let login = answer.header("location").unwrap().to_owned();
    assert_eq!(login, "/login?next=/account%3Fpage%3D2");
    assert_eq!(answer.header("vary"), Some("Cookie"));
    let answer = browser.post(&login, "user=ann").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/account?page=2")));
    assert_eq!(browser.get("/account?page=2").await.text, "ann");

    let old = browser.post("/add", "item=fig").await;
    assert_eq!(old.status, 403, "the page of before the login has another token");
    assert_eq!(browser.index().await, "ann;1 pear;welcome");
    browser.post("/add", "item=fig").await;
    assert_eq!(browser.index().await, "ann;1 fig,1 pear;added fig");

    let answer = browser.post("/logout", "").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    assert!(!browser.has_cookie("session"));
    assert_eq!(browser.index().await, "a guest;;");
    assert_eq!(browser.get("/account").await.status, 303);
}

/// With a store, simultaneous requests make two changes; a cookie keeps the last one.
async fn shop_in_two_tabs<S: Server>(shop: &S) {
    let mut one = Browser::new(shop);
    one.index().await;
    one.post("/add", "item=pear").await;
    one.index().await;
    let mut two = one.tab();
    let (first, second) = tokio::join!(one.post("/add", "item=fig"), two.post("/add", "item=fig"));
    assert_eq!((first.status, second.status), (200, 200));
    let shown = one.index().await;
    let (first, second) = tokio::join!(one.post("/count", ""), two.post("/count", ""));
    if shown.contains("2 fig") {
        assert_eq!(shown, "a guest;2 fig,1 pear;added fig,added fig");
        assert_ne!(first.text, second.text, "each was shown a number of its own");
    } else {
        assert_eq!(shown, "a guest;1 fig,1 pear;added fig");
    }
}

async fn come_from_elsewhere<S: Server>(shop: &S) {
    let mut browser = Browser::new(shop);
    browser.index().await;
    let form = format!("csrf_token={}&item=pear", browser.token);
    let request = |origin| {
        Request::post("/add")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin)
    };
    for (origin, form) in [
        ("https://evil.example", form.clone()),
        (ORIGIN, "item=pear".to_owned()),
        (ORIGIN, "csrf_token=guessed&item=pear".to_owned()),
        (ORIGIN, format!("filler={}&{form}", "x".repeat(2000))),
    ] {
        let answer = browser.send(request(origin).body(form).unwrap()).await;
        assert_eq!((answer.status, answer.text.as_str()), (403, "Csrf"), "the application's page");
        assert_eq!(answer.header("x-page"), Some("sorry"));
    }
    assert_eq!(browser.index().await, "a guest;;");

    // With the token in a header the body isn't searched, and one beyond the limit arrives whole.
    let script = request(ORIGIN).header("x-csrf-token", &browser.token);
    let long = format!("filler={}&item=pear", "x".repeat(100_000));
    assert_eq!(browser.send(script.body(long).unwrap()).await.status, 200);
    let long = format!("{form}&filler={}", "x".repeat(100_000));
    // The session has begun since: the page is loaded again.
    browser.index().await;
    let long = format!("csrf_token={}&{long}", browser.token);
    assert_eq!(browser.send(request(ORIGIN).body(long).unwrap()).await.status, 200);
    assert_eq!(browser.index().await, "a guest;2 pear;added pear");
}

async fn meet_errors<S: Server>(shop: &S) {
    let mut browser = Browser::new(shop);
    let answer = browser.get("/wrong").await;
    assert_eq!((answer.status, answer.text.as_str()), (500, "Type"));
    assert_eq!(answer.header("x-page"), Some("sorry"));
    assert!(browser.has_cookie("session"), "what was changed before the error is saved");
    assert_eq!(answer.header("x-handler"), None);

    let answer = Browser::new(shop).get("/vary").await;
    assert_eq!(answer.headers.get_all("vary").iter().count(), 1);
    assert_eq!(answer.header("vary"), Some("Origin, Accept, Cookie"));
    let cookies = answer.headers.get_all("set-cookie");
    let names = cookies.iter().map(|line| line.to_str().unwrap().split_once('=').unwrap().0);
    assert_eq!(names.collect::<Vec<_>>(), ["theme", "session"]);

    // The response has begun when its stream is read.
    let answer = browser.get("/stream").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "Closed"));
    let answer = browser.get("/saved-stream").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "Closed"));
    let shown = browser.get("/show?streamed").await.text;
    assert_eq!(shown, "before");
}

async fn stay_a_stranger<S: Server>(shop: &S) {
    let mut browser = Browser::new(shop);
    let answer = browser.get("/static").await;
    assert_eq!(
        (answer.status, answer.header("vary"), answer.header("set-cookie")),
        (200, None, None)
    );
    assert_eq!(browser.get("/nowhere").await.status, 404);
    let forged = Request::get("/account").header("cookie", "session=forged");
    assert_eq!(browser.send(forged.body(String::new()).unwrap()).await.status, 303);
}
