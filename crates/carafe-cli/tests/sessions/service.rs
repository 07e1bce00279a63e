//! A service with a store, and the program beside it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::Path as Segment;
use axum::routing::{get, post};
use carafe::id::{PublicId, SessionId};
use carafe::store::{Record, SessionStore};
use carafe::testing::Client;
use carafe::{Error, LoginOptions, SecretKey, Session, SessionLayer, UnixSeconds};
use serde_json::Value as Json;

use crate::support::{Carafe, Folder, carafe};

pub(crate) struct Service<S> {
    pub(crate) folder: Folder,
    pub(crate) url: String,
    pub(crate) store: Arc<S>,
    pub(crate) layer: SessionLayer,
    pub(crate) app: Router,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn login(session: Session, Segment(user): Segment<String>) -> Result<(), Error> {
    let options = LoginOptions::default().address("203.0.113.7").agent("Firefox");
    session.login_with(user, options)?;
    session.insert("cart", 3)
}

pub(crate) fn app(layer: SessionLayer) -> Router {
    Router::new()
        .route("/login/{user}", post(login))
        .route("/visit", get(async |session: Session| session.insert("seen", true)))
        .route("/who", get(async |session: Session| session.user().unwrap_or_default()))
        .route("/rotate", post(async |session: Session| session.rotate()))
        .layer(layer)
}

impl<S: SessionStore> Service<S> {
    pub(crate) fn with(folder: Folder, url: String, store: S) -> Self {
        let store = Arc::new(store);
        let layer = SessionLayer::stored(Arc::clone(&store), SecretKey::random().unwrap()).unwrap();
        let app = app(layer.clone());
        Self { folder, url, store, layer, app }
    }

    /// Returns a browser that has sent no request yet.
    pub(crate) fn browser(&self) -> Client<Router> {
        Client::new(self.app.clone(), &self.layer)
    }

    pub(crate) async fn logged_in(&self, user: &str) -> Client<Router> {
        let browser = self.browser();
        browser.post_form(&format!("/login/{user}"), &[]).await.unwrap();
        assert_eq!(who(&browser).await, user);
        browser
    }

    pub(crate) fn carafe(&self, arguments: &[&str]) -> Carafe {
        carafe(["sessions"]).args(arguments).env("CARAFE_STORE", &self.url).dir(&self.folder.0)
    }

    /// Returns the JSON that a successful command prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<Json> {
        let lines = self.carafe(arguments).args(["--json"]).run().quiet();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The public ids of a user's sessions.
    pub(crate) fn ids(&self, user: &str) -> Vec<String> {
        let ids = self.json(&["list", user]);
        ids.iter().map(|session| session["session"].as_str().unwrap().to_owned()).collect()
    }

    /// Puts a record in, as a service would that does so.
    pub(crate) async fn put(&self, change: impl FnOnce(&mut Record)) -> PublicId {
        let id = PublicId::random().unwrap();
        let mut record = Record::new(id, UnixSeconds(now()), 3600, 86_400);
        change(&mut record);
        let hash = SessionId::random().unwrap().hash();
        assert!(self.store.create(&hash, &record, UnixSeconds(now())).await.unwrap());
        id
    }
}

pub(crate) async fn who(browser: &Client<Router>) -> String {
    browser.get("/who").await.unwrap().text().to_owned()
}
