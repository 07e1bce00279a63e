//! The growth of a request's work with its changes of the session, counted in allocated bytes.
//!
//! A program of its own, since it replaces the allocator by one that counts.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::Response;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::value::Step;
use carafe::{Error, SecretKey, Session, SessionLayer};
use tower::ServiceExt as _;

/// How many changes a request makes, the second four times the first.
const CHANGES: [u32; 2] = [1_000, 4_000];

async fn begin(session: Session) -> Result<(), Error> {
    session.insert("cart", BTreeMap::<String, u32>::new())?;
    session.insert("list", vec![0])?;
    session.flash("hello")
}

async fn act(session: Session, Path((what, times)): Path<(String, u32)>) -> Result<(), Error> {
    match what.as_str() {
        "flash" => (0..times).try_for_each(|number| session.flash(number)),
        "dict" => (0..times).try_for_each(|number| {
            session.insert_at(["cart".to_owned(), format!("item {number}")], number)
        }),
        "list" => {
            let path = || [Step::from("list"), Step::from(0)];
            session.insert("list", vec![0; times as usize])?;
            (0..times).try_for_each(|number| session.insert_at(path(), number))
        }
        _ => session.get_flashed_messages().map(drop),
    }
}

/// What a visitor's requests allocate.
struct Site {
    app: Router,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new() -> Self {
        let key = SecretKey::random().unwrap();
        let layer = SessionLayer::stored(MemoryStore::new(), key).unwrap();
        let layer = layer.configure(|config| config.session_limit(1 << 24)).unwrap();
        let app = Router::new()
            .route("/begin", get(begin))
            .route("/{what}/{times}", get(act))
            .layer(layer);
        Self {
            app,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    fn get(&self, path: &str, cookie: &str) -> Response {
        let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
        let response = self.runtime.block_on(self.app.clone().oneshot(request)).unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response
    }

    /// The cookie of a visitor who has a session.
    fn visitor(&self) -> String {
        let response = self.get("/begin", "");
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    fn allocated(&self, path: &str, cookie: &str) -> u64 {
        allocation_counter::measure(|| drop(self.get(path, cookie))).bytes_total
    }
}

#[test]
fn what_many_changes_allocate_grows_with_their_number_and_no_faster() {
    let site = Site::new();
    for what in ["flash", "dict", "list"] {
        let [few, many] = CHANGES.map(|times| {
            let visitor = site.visitor();
            site.allocated(&format!("/{what}/{times}"), &visitor)
        });
        assert!(many <= 6 * few, "{what}: {few} and {many} bytes");
    }
}
