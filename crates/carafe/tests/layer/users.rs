//! Handlers for logged-in users, and the redirects to the login page and back.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_extractor;
use axum::response::Redirect;
use axum::routing::{any, get};
use carafe::store::MemoryStore;
use carafe::{
    CurrentUser, Error, ErrorKind, LoginOptions, Named, Session, SessionLayer, WantedPage,
};

use crate::support::{Client, Log, flask, in_session, key};

async fn log_in(session: Session, wanted: WantedPage) -> Result<Redirect, Error> {
    session.login("42")?;
    Ok(Redirect::to(wanted.or("/")))
}

fn app(layer: SessionLayer) -> Client {
    let show = async |user: Option<CurrentUser>| {
        user.map_or("a guest".to_owned(), |user| user.id().to_owned())
    };
    let account = async |user: CurrentUser| -> Result<String, Error> {
        user.session().insert("seen", true)?;
        Ok(user.into_id())
    };
    let admin = Router::new()
        .route("/users", get(async || "all of them"))
        .route_layer(from_extractor::<CurrentUser>());
    let app = Router::new()
        .route("/", get(show))
        .route("/login", any(log_in))
        .route("/account", any(account))
        .nest("/admin", admin)
        .layer(layer);
    Client::new(app)
}

#[tokio::test]
async fn without_a_login_page_strangers_get_401() {
    let log = Log::capture();
    let mut client = app(flask());
    let answer = client.get("/account").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (401, "Unauthorized"));
    assert_eq!((answer.vary(), answer.set_cookie()), (Some("Cookie"), None));
    let line = log.line();
    assert!(line.contains("DEBUG") && line.contains("session.login_required"), "{line}");
    assert_eq!(client.get("/admin/users").await.status, 401);
    assert_eq!(client.get("/").await.text, "a guest");
    client.get("/login").await;
    assert_eq!(client.get("/").await.text, "42");
    assert_eq!(client.get("/account").await.text, "42");
    assert_eq!(client.get("/admin/users").await.text, "all of them");
}

#[tokio::test]
async fn on_error_makes_the_page_of_a_401_but_not_of_a_redirect() {
    let layer = || flask().on_error(|error| (error.status(), "Who are you?"));
    let answer = app(layer()).get("/account").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (401, "Who are you?"));
    let answer = app(layer().with_login_page("/login").unwrap()).get("/account").await;
    assert_eq!(
        (answer.status.as_u16(), answer.one("location")),
        (303, Some("/login?next=/account"))
    );
}

#[tokio::test]
async fn the_login_page_leads_back_to_the_wanted_page() {
    let layer = || flask().with_login_page("/login").unwrap();
    for wanted in ["/account", "/account?page=2&q=a%20b+c%2526", "/admin/users"] {
        let mut client = app(layer());
        let answer = client.get(wanted).await;
        assert_eq!((answer.status, answer.vary()), (StatusCode::SEE_OTHER, Some("Cookie")));
        let login = answer.one("location").unwrap().to_owned();
        let answer = client.post(&login, "name=admin").await;
        assert_eq!(answer.one("location"), Some(wanted));
        assert_eq!(client.get(wanted).await.status, 200);
    }
}

/// An application that keeps its users under a key of its own.
#[tokio::test]
async fn an_application_can_ask_for_a_login_itself() {
    let account = async |session: Session| -> Result<String, Error> {
        session.get::<String>("username")?.ok_or_else(|| session.login_required())
    };
    let app = |layer: SessionLayer| {
        Client::new(Router::new().route("/account", get(account)).layer(layer))
    };
    let answer = app(flask()).get("/account").await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (401, None));
    let answer = app(flask().with_login_page("/login").unwrap()).get("/account").await;
    assert_eq!(
        (answer.status.as_u16(), answer.one("location")),
        (303, Some("/login?next=/account"))
    );
}

#[tokio::test]
async fn what_cant_be_sent_again_is_refused() {
    let mut client = app(flask().with_login_page("/login").unwrap());
    let answer = client.post("/account", "a=b").await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (401, None));
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let everything = Router::new()
        .fallback(async |_user: CurrentUser| "")
        .layer(flask().with_login_page("/login").unwrap());
    let answer = Client::new(everything).get("//evil.example/").await;
    assert_eq!(answer.one("location"), Some("/login"));
    for next in ["//evil.example", "https://evil.example", "/%5Cevil.example", "/%09/evil.example"]
    {
        let answer = app(flask()).get(&format!("/login?next={next}")).await;
        assert_eq!(answer.one("location"), Some("/"), "{next}");
    }
}

#[tokio::test]
async fn settings_dont_forget_the_login_page() {
    let layer = flask().with_login_page("/login").unwrap().configure(|config| config).unwrap();
    assert_eq!(app(layer).get("/account").await.status, 303);
    let error = flask().with_login_page("https://id.example/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
    assert!(error.to_string().starts_with("login_page is "), "{error}");
}

/// A database's index couldn't hold a longer one, and the store would keep it with each session.
#[tokio::test]
async fn the_name_of_a_user_has_a_limit() {
    let signed = || SessionLayer::signed(key()).unwrap();
    for layer in [
        flask(),
        signed().with_revocations(MemoryStore::new()),
        SessionLayer::stored(MemoryStore::new(), key()).unwrap(),
    ] {
        let (kinds, _) = in_session(layer, |session| {
            let exact = "u".repeat(LoginOptions::USER_LIMIT);
            session.login(&*exact).unwrap();
            let longer = session.login(format!("{exact}u")).unwrap_err();
            // Neither the error nor the session knows it.
            assert!(!longer.to_string().contains("uu"), "{longer}");
            (longer.kind(), session.user() == Some(exact))
        })
        .await;
        assert_eq!(kinds, (ErrorKind::Value, true));
    }
}

struct Staff;

#[tokio::test]
async fn a_named_session_has_users_of_its_own() {
    let handler = async |staff: Named<Staff>, user: Option<CurrentUser>| -> Result<String, Error> {
        let member = staff.session().current_user()?;
        Ok(format!("{} {}", member.id(), user.is_some()))
    };
    let login = async |staff: Named<Staff>| staff.session().login("7");
    let named = flask().configure(|config| config.cookie_name("staff")).unwrap();
    let app = Router::new()
        .route("/", get(handler))
        .route("/login", get(login))
        .layer(flask())
        .layer(named.named::<Staff>());
    let mut client = Client::new(app);
    assert_eq!(client.get("/").await.status, 401);
    client.get("/login").await;
    assert_eq!(client.get("/").await.text, "7 false");
}
