//! Ending other sessions takes a user who was authenticated a short time ago.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::{Clock, Session};
use carafe_sessions_page::SessionsPage;

use crate::app::{Buttons, PAGE, browser, press, routes, sessions, who};
use crate::support::NOW;

fn app(clock: &Clock, confirm: bool) -> Router {
    let layer = sessions(MemoryStore::new(), clock);
    let layer = if confirm { layer.with_confirm_page("/confirm").unwrap() } else { layer };
    routes(SessionsPage::new().fresh_within(Duration::from_secs(300)))
        .route("/confirm", get(async |session: Session| session.reauthenticated()))
        .layer(layer)
}

#[tokio::test]
async fn other_sessions_are_ended_after_a_confirmation() {
    let clock = Clock::fixed(NOW);
    let app = app(&clock, true);
    let mut phone = browser(&app, "ann", "Phone").await;
    let mut laptop = browser(&app, "ann", "Laptop").await;
    clock.advance(301);
    for button in ["End all other sessions", "Sign out everywhere", "End: Phone"] {
        let answer = press(&mut laptop, button).await;
        assert_eq!((answer.status.as_u16(), answer.one("location")), (303, Some("?confirm")));
        assert_eq!(who(&mut phone).await, "ann", "{button}");
    }
    let confirm = format!("{PAGE}?confirm");
    let answer = laptop.get(&confirm).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.one("location"), Some("/confirm?next=/account/sessions%3Fconfirm"));
    laptop.get("/confirm?next=/account/sessions%3Fconfirm").await;
    let answer = laptop.get(&confirm).await;
    let form = Buttons::read(&answer).form("End all other sessions");
    assert_eq!(laptop.post(PAGE, &form).await.one("location"), Some("?"));
    assert_eq!((who(&mut phone).await, who(&mut laptop).await), (String::new(), "ann".to_owned()));
}

#[tokio::test]
async fn a_user_leaves_without_a_confirmation() {
    let clock = Clock::fixed(NOW);
    let app = app(&clock, true);
    let mut phone = browser(&app, "ann", "Phone").await;
    clock.advance(301);
    assert_eq!(press(&mut phone, "Sign out: Phone").await.one("location"), Some("/"));
    assert_eq!(who(&mut phone).await, "");
}

#[tokio::test]
async fn without_a_confirmation_page_it_is_401() {
    let clock = Clock::fixed(NOW);
    let app = app(&clock, false);
    let mut phone = browser(&app, "ann", "Phone").await;
    assert_eq!(phone.get(&format!("{PAGE}?confirm")).await.status, 200);
    clock.advance(301);
    assert_eq!(phone.get(PAGE).await.status, 200);
    assert_eq!(phone.get(&format!("{PAGE}?confirm")).await.status, 401);
}
