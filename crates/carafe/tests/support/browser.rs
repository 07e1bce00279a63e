//! A browser that keeps one cookie, in front of an application with one session layer.

use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::{any, get};
use axum::{Router, extract::Path};
use carafe::{Error, Session, SessionLayer};
use tower::ServiceExt as _;

/// Routes to read and write the session, and one that never looks at it.
pub(crate) fn app(layer: SessionLayer) -> Router {
    async fn read(session: Session) -> Result<String, Error> {
        Ok(session.get::<String>("user")?.unwrap_or_default())
    }
    async fn write(session: Session, Path(user): Path<String>) -> Result<(), Error> {
        session.insert("user", user)
    }
    Router::new()
        .route("/", get(read))
        .route("/login/{user}", any(write))
        .route("/static", get(async || "no session"))
        .layer(layer)
}

#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
}

impl Browser {
    /// The body, and the value of the cookie that the response set, which the browser keeps.
    pub(crate) async fn get(&mut self, app: &Router, path: &str) -> (String, Option<String>) {
        let mut request = Request::get(path);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let request = request.body(Body::empty()).unwrap();
        let response: Response<Body> = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let set_cookie = response.headers().get("set-cookie").map(|header| {
            let (pair, _) = header.to_str().unwrap().split_once(';').unwrap();
            self.cookie = Some(pair.to_owned());
            pair.split_once('=').unwrap().1.to_owned()
        });
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (String::from_utf8(body.to_vec()).unwrap(), set_cookie)
    }

    /// Returns the user that the application sees; reading sets no cookie.
    pub(crate) async fn user(&mut self, app: &Router) -> String {
        let (user, set_cookie) = self.get(app, "/").await;
        assert_eq!(set_cookie, None);
        user
    }
}
