//! An application with the page, and browsers in front of it.

use axum::extract::Path;
use axum::routing::get;
use axum::{Router, middleware};
use carafe::csrf::CsrfLayer;
use carafe::store::{MemoryStore, SessionStore};
use carafe::{Clock, LoginOptions, Session, SessionLayer};
use carafe_sessions_page::SessionsPage;

use crate::support::{Answer, Client, NOW, key};

pub(crate) const PAGE: &str = "/account/sessions";
/// The origin of the application, for the CSRF layer.
pub(crate) const HOME: &str = "https://shop.example";

pub(crate) fn sessions(store: impl SessionStore, clock: &Clock) -> SessionLayer {
    SessionLayer::stored(store, key().allow_weak_key()).unwrap().with_clock(clock.clone())
}

/// The routes of the application without layers.
pub(crate) fn routes(page: SessionsPage) -> Router {
    Router::new()
        .route(
            "/login/{user}/{agent}",
            get(async |session: Session, Path((user, agent)): Path<(String, String)>| {
                let options = match agent.as_str() {
                    "-" => LoginOptions::default(),
                    agent => LoginOptions::default().agent(agent).address("203.0.113.7"),
                };
                session.login_with(user, options)
            }),
        )
        .route("/who", get(async |session: Session| session.user().unwrap_or_default()))
        .route("/anonymous", get(async |session: Session| session.insert("visits", 1)))
        .route_service(PAGE, page)
}

/// The application with a store in memory.
pub(crate) fn app(page: SessionsPage) -> Router {
    let clock = Clock::fixed(NOW);
    routes(page).layer(sessions(MemoryStore::new(), &clock))
}

/// The page's application below a CSRF layer.
pub(crate) fn app_with_csrf(csrf: CsrfLayer) -> Router {
    let clock = Clock::fixed(NOW);
    routes(SessionsPage::new()).layer(csrf).layer(sessions(MemoryStore::new(), &clock))
}

/// Adds the headers that a browser sends with the application's own forms.
pub(crate) fn from_own_pages(app: Router) -> Router {
    // Outside of all layers, as if the client had sent them.
    app.layer(middleware::map_request(async |mut request: axum::extract::Request| {
        let origin = HOME.parse().unwrap();
        request.headers_mut().insert("origin", origin);
        request
    }))
}

/// A browser in which a user has logged in.
pub(crate) async fn browser(app: &Router, user: &str, agent: &str) -> Client {
    let mut client = Client::new(app.clone());
    assert_eq!(client.get(&format!("/login/{user}/{agent}")).await.status, 200);
    client
}

/// The logged-in user, as the application sees them.
pub(crate) async fn who(client: &mut Client) -> String {
    client.get("/who").await.text
}

/// What the page's buttons send, by their names as they are read out, and the token beside them.
pub(crate) struct Buttons {
    pub(crate) token: String,
    buttons: Vec<(String, String)>,
}

impl Buttons {
    pub(crate) async fn of(client: &mut Client) -> Self {
        let answer = client.get(PAGE).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Self::read(&answer)
    }

    pub(crate) fn read(answer: &Answer) -> Self {
        let html = &answer.text;
        let token = between(html, "name=\"csrf_token\" value=\"", "\"").to_owned();
        let buttons = html.split("<button ").skip(1).map(|button| {
            let (tag, rest) = button.split_once('>').unwrap();
            let name = match tag.contains("aria-label") {
                true => between(tag, "aria-label=\"", "\""),
                false => rest.split_once('<').unwrap().0,
            };
            (name.to_owned(), between(tag, "name=\"end\" value=\"", "\"").to_owned())
        });
        Self { token, buttons: buttons.collect() }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.buttons.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The form that a button sends.
    pub(crate) fn form(&self, name: &str) -> String {
        let (_, value) = self.buttons.iter().find(|(button, _)| button == name).unwrap();
        format!("csrf_token={}&end={value}", self.token)
    }
}

/// Looks at the page and presses a button.
pub(crate) async fn press(client: &mut Client, button: &str) -> Answer {
    let form = Buttons::of(client).await.form(button);
    client.post(PAGE, &form).await
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}
