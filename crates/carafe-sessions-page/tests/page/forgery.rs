//! Other sites can't press the buttons, whether there is a CSRF layer or not.

use carafe::csrf::CsrfLayer;
use carafe_sessions_page::SessionsPage;

use crate::app::{Buttons, HOME, PAGE, app, app_with_csrf, browser, from_own_pages, press, who};
use crate::support::Client;

/// Forms without the token of this session's pages end nothing.
async fn refuses_other_tokens(client: &mut Client, another: &mut Client) {
    let token = Buttons::of(client).await.token;
    let foreign = Buttons::of(another).await.token;
    let mut forms = vec!["end=all".to_owned(), "csrf_token=&end=all".to_owned()];
    forms.push(format!("csrf_token={foreign}&end=all"));
    forms.push(format!("csrf_token={}&end=all", &token[1..]));
    forms.push(format!("csrf_token={token}A&end=all"));
    forms.push(format!("end=all#csrf_token={token}"));
    for form in forms {
        let answer = client.post(PAGE, &form).await;
        assert_eq!(answer.status, 403, "{form}: {}", answer.text);
        assert!(answer.text.contains("CSRF token"), "{}", answer.text);
    }
    assert_eq!(who(client).await, "ann");
}

#[tokio::test]
async fn without_a_layer_the_page_checks_a_token_of_its_own() {
    let app = app(SessionsPage::new());
    let mut client = browser(&app, "ann", "Phone").await;
    let mut another = browser(&app, "ann", "Laptop").await;
    refuses_other_tokens(&mut client, &mut another).await;
    assert_eq!(press(&mut client, "Sign out everywhere").await.status, 303);
    assert_eq!(who(&mut another).await, "");
}

#[tokio::test]
async fn before_the_page_was_shown_there_is_no_token() {
    let mut client = browser(&app(SessionsPage::new()), "ann", "Phone").await;
    let token = "A".repeat(86);
    let answer = client.post(PAGE, &format!("csrf_token={token}&end=all")).await;
    assert_eq!(answer.status, 403);
    assert_eq!(who(&mut client).await, "ann");
}

#[tokio::test]
async fn a_token_of_before_the_login_is_none() {
    let mut client = browser(&app(SessionsPage::new()), "ann", "Phone").await;
    let form = Buttons::of(&mut client).await.form("Sign out everywhere");
    client.get("/login/ann/Phone").await;
    assert_eq!(client.post(PAGE, &form).await.status, 403);
    assert_eq!(who(&mut client).await, "ann");
}

#[tokio::test]
async fn below_a_layer_its_token_counts() {
    for csrf in [CsrfLayer::new([HOME]).unwrap(), CsrfLayer::new([HOME]).unwrap().flask_wtf()] {
        let app = from_own_pages(app_with_csrf(csrf));
        let mut client = browser(&app, "ann", "Phone").await;
        let mut another = browser(&app, "ann", "Laptop").await;
        let foreign = Buttons::of(&mut another).await.token;
        for form in ["end=all".to_owned(), format!("csrf_token={foreign}&end=all")] {
            assert_eq!(client.post(PAGE, &form).await.status, 403, "{form}");
        }
        let answer = press(&mut client, "Sign out everywhere").await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert_eq!(who(&mut another).await, "");
    }
}

#[tokio::test]
async fn below_a_layer_the_origin_counts_too() {
    let app = app_with_csrf(CsrfLayer::new([HOME]).unwrap());
    let mut client = browser(&app, "ann", "Phone").await;
    let answer = press(&mut client, "Sign out everywhere").await;
    assert_eq!(answer.status, 403, "it came from nowhere");
    assert_eq!(who(&mut client).await, "ann");
}

#[tokio::test]
async fn where_the_layer_exempts_the_page_it_checks_itself() {
    let csrf = CsrfLayer::new([HOME]).unwrap().exempt(|request| request.uri.path() == PAGE);
    let app = app_with_csrf(csrf);
    let mut client = browser(&app, "ann", "Phone").await;
    let mut another = browser(&app, "ann", "Laptop").await;
    refuses_other_tokens(&mut client, &mut another).await;
    assert_eq!(press(&mut client, "End all other sessions").await.status, 303);
    assert_eq!(who(&mut another).await, "");
}
