//! The buttons.

use axum::body::Body;
use axum::http::Request;
use carafe_sessions_page::SessionsPage;
use tower::ServiceExt as _;

use crate::app::{Buttons, PAGE, app, browser, press, who};

#[tokio::test]
async fn one_other_session_is_ended() {
    let app = app(SessionsPage::new());
    let mut phone = browser(&app, "ann", "Phone").await;
    let mut laptop = browser(&app, "ann", "Laptop").await;
    let mut tablet = browser(&app, "ann", "Tablet").await;
    let answer = press(&mut laptop, "End: Phone").await;
    // The page itself, wherever it is mounted.
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, Some("?")));
    assert_eq!(who(&mut phone).await, "");
    assert_eq!(who(&mut laptop).await, "ann");
    assert_eq!(who(&mut tablet).await, "ann");
    let html = laptop.get(PAGE).await.text;
    assert!(!html.contains("Phone") && html.contains("Tablet"), "{html}");
}

#[tokio::test]
async fn all_others_are_ended() {
    let app = app(SessionsPage::new());
    let mut phone = browser(&app, "ann", "Phone").await;
    let mut laptop = browser(&app, "ann", "Laptop").await;
    let mut stranger = browser(&app, "ben", "Phone").await;
    let answer = press(&mut laptop, "End all other sessions").await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, Some("?")));
    assert_eq!(who(&mut phone).await, "");
    assert_eq!(who(&mut laptop).await, "ann");
    assert_eq!(who(&mut stranger).await, "ben");
    // There is nothing left for that button to do.
    let names = Buttons::of(&mut laptop).await;
    assert_eq!(names.names(), ["Sign out: Laptop", "Sign out everywhere"]);
}

#[tokio::test]
async fn all_are_ended() {
    let app = app(SessionsPage::new().home("/bye").unwrap());
    let mut phone = browser(&app, "ann", "Phone").await;
    let mut laptop = browser(&app, "ann", "Laptop").await;
    let mut stranger = browser(&app, "ben", "Phone").await;
    let answer = press(&mut laptop, "Sign out everywhere").await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, Some("/bye")));
    assert!(laptop.cookies.is_empty());
    assert_eq!(who(&mut phone).await, "");
    assert_eq!(who(&mut laptop).await, "");
    assert_eq!(who(&mut stranger).await, "ben");
}

#[tokio::test]
async fn ending_the_own_session_is_a_logout() {
    let app = app(SessionsPage::new().home("/bye").unwrap());
    let mut phone = browser(&app, "ann", "Phone").await;
    let mut laptop = browser(&app, "ann", "Laptop").await;
    let copy = laptop.cookies.clone();
    let answer = press(&mut laptop, "Sign out: Laptop").await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, Some("/bye")));
    assert!(laptop.cookies.is_empty());
    laptop.cookies = copy;
    assert_eq!(who(&mut laptop).await, "", "a copy of the cookie is still of use");
    assert_eq!(who(&mut phone).await, "ann");
}

#[tokio::test]
async fn nobody_ends_the_sessions_of_others() {
    let app = app(SessionsPage::new());
    let mut ann = browser(&app, "ann", "Phone").await;
    let mut ben = browser(&app, "ben", "Phone").await;
    let of_ann = Buttons::of(&mut ann).await.form("Sign out: Phone");
    let (_, id) = of_ann.split_once("&end=").unwrap();
    let token = Buttons::of(&mut ben).await.token;
    // As for a session that has ended meanwhile.
    let answer = ben.post(PAGE, &format!("csrf_token={token}&end={id}")).await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, Some("?")));
    assert_eq!(who(&mut ann).await, "ann");
    assert_eq!(who(&mut ben).await, "ben");
}

#[tokio::test]
async fn a_button_may_be_pressed_twice() {
    let app = app(SessionsPage::new());
    browser(&app, "ann", "Phone").await;
    let mut laptop = browser(&app, "ann", "Laptop").await;
    let form = Buttons::of(&mut laptop).await.form("End: Phone");
    for _ in 0..2 {
        assert_eq!(laptop.post(PAGE, &form).await.status, 303);
    }
    assert_eq!(who(&mut laptop).await, "ann");
}

#[tokio::test]
async fn a_form_that_no_button_sends_ends_nothing() {
    let app = app(SessionsPage::new());
    let mut client = browser(&app, "ann", "Phone").await;
    let token = Buttons::of(&mut client).await.token;
    for end in ["", "&end=", "&end=everything", "&end=%61ll", "&End=all"] {
        let answer = client.post(PAGE, &format!("csrf_token={token}{end}")).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (400, "Bad Request"), "{end}");
    }
    let long = format!("csrf_token={token}&end=all&{}", "a".repeat(5000));
    assert_eq!(client.post(PAGE, &long).await.status, 400);
    assert_eq!(who(&mut client).await, "ann");
}

#[tokio::test]
async fn other_methods_are_refused() {
    let app = app(SessionsPage::new());
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = Request::builder().method(method).uri(PAGE).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.headers()["allow"], "GET, HEAD, POST");
    }
}
