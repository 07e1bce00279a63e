//! Values whose type changed in a deployment.

use axum::Router;
use axum::routing::get;
use carafe::config::Mistyped;
use carafe::{Error, Session};

use crate::support::{Client, flask};

fn client(policy: Mistyped) -> Client {
    async fn count(session: Session) -> Result<String, Error> {
        Ok(format!("{:?}", session.get::<u64>("visits")?))
    }
    async fn count_as_struct(session: Session) -> Result<String, Error> {
        Ok(format!("{:?}", session.get::<std::time::Duration>("visits")?))
    }
    async fn add(session: Session) -> Result<String, Error> {
        let visits = session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
        Ok(visits.to_string())
    }
    let layer = flask().configure(|config| config.mistyped_values(policy)).unwrap();
    let app = Router::new()
        .route("/old", get(async |session: Session| session.insert("visits", "three")))
        .route("/count", get(count))
        .route("/serde", get(count_as_struct))
        .route("/add", get(add))
        .layer(layer);
    Client::new(app)
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error_or_missing() {
    let mut strict = client(Mistyped::Error);
    let mut lenient = client(Mistyped::Missing);
    for (path, expected) in
        [("/count", "None"), ("/serde", "None"), ("/add", "1"), ("/count", "Some(1)")]
    {
        if path == "/count" && expected == "None" {
            strict.get("/old").await;
            lenient.get("/old").await;
        }
        assert_eq!(strict.get(path).await.status, 500, "{path}");
        assert_eq!(lenient.get(path).await.text, expected, "{path}");
    }
}
