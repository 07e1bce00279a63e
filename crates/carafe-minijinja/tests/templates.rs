//! Changes of a session by templates are saved like a handler's.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Router, http::StatusCode};
use carafe::testing::{BoxError, Client, Response};
use carafe::value::{Markup, Text, Value};
use carafe::{Clock, SecretKey, Session, SessionLayer};
use minijinja::{Environment, UndefinedBehavior, context};

type Page = (&'static str, Arc<Environment<'static>>);

async fn page(
    State((template, env)): State<Page>,
    session: Session,
) -> Result<String, (StatusCode, String)> {
    let context = context! { title => "T", ..carafe_minijinja::context(&session) };
    env.render_str(template, context)
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?} {error:#}")))
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    carafe_minijinja::add_to_environment(&mut env);
    env
}

fn client_of(
    env: Environment<'static>,
    template: &'static str,
) -> Result<Client<Router>, carafe::Error> {
    let key = SecretKey::new("dev")?;
    let sessions = SessionLayer::flask(key).with_clock(Clock::fixed(1_700_000_000));
    let app = Router::new().route("/", get(page)).with_state((template, Arc::new(env)));
    Ok(Client::new(app.layer(sessions.clone()), &sessions))
}

/// A session of these entries, and the response of a template to it.
async fn render(
    template: &'static str,
    entries: &[(&str, Value)],
) -> Result<(Client<Router>, Response), BoxError> {
    let client = client_of(environment(), template)?;
    client.session_transaction(|session| session.extend(entries.iter().cloned())).await?;
    let response = client.get("/").await?;
    Ok((client, response))
}

fn flashes() -> Value {
    Value::from(vec![Value::from(("message", "<hi>")), Value::from(("error", "no"))])
}

/// Flask's `request`, `g` and `config` are the application's to pass, as `title` is here.
#[tokio::test]
async fn test_standard_context() -> Result<(), BoxError> {
    let (_, response) = render("{{ title }} {{ session.test }}", &[("test", "aha".into())]).await?;
    assert_eq!(response.text(), "T aha");
    Ok(())
}

#[tokio::test]
async fn showing_the_last_flash_removes_the_cookie() -> Result<(), BoxError> {
    let template = "{% for c, m in get_flashed_messages(with_categories=true) %}{{ c }} {{ m }};\
                    {% endfor %}{{ get_flashed_messages() | length }}";
    let (client, response) = render(template, &[("_flashes", flashes())]).await?;
    assert_eq!(response.text(), "message &lt;hi&gt;;error no;2");
    let removed = "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/";
    assert_eq!(response.header("set-cookie"), Some(removed));
    assert_eq!(response.header("vary"), Some("Cookie"));
    assert_eq!(client.get("/").await?.text(), "0");
    Ok(())
}

#[tokio::test]
async fn a_filter_drops_the_other_messages_too() -> Result<(), BoxError> {
    let template = "{{ get_flashed_messages(category_filter=['error']) }}";
    let entries = [("_flashes", flashes()), ("a", Value::from(1))];
    let (client, response) = render(template, &entries).await?;
    assert_eq!(response.text(), "[&#39;no&#39;]");
    assert_eq!(client.session().await?.keys(), ["a"].map(Text::from));
    Ok(())
}

#[tokio::test]
async fn reading_is_no_change() -> Result<(), BoxError> {
    let template = "{{ title }} {{ session.a }} {{ session.modified }} {{ session|length }} \
                    {{ session.get('b', 'no') }} {{ session.pop('b', 'no') }}";
    let (_, response) = render(template, &[("a", Value::from(Markup::from("<b>")))]).await?;
    assert_eq!(response.text(), "T <b> False 1 no no");
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(response.header("vary"), Some("Cookie"));
    Ok(())
}

#[tokio::test]
async fn changes_are_saved() -> Result<(), BoxError> {
    let template = "{{ session.pop('a') }} {{ session.setdefault('b', (1, 'x')) }} \
                    {{ session.update({'c': {'d': none}}, e='<i>'|safe) }}";
    let (client, response) = render(template, &[("a", Value::from(1))]).await?;
    assert_eq!(response.text(), "1 (1, &#39;x&#39;) None");
    let saved = Value::from(client.session().await?.to_dict()).to_tagged_json()?;
    assert_eq!(saved, r#"{"b":{" t":[1,"x"]},"c":{"d":null},"e":{" m":"<i>"}}"#);
    Ok(())
}

#[tokio::test]
async fn what_fails_is_an_error_of_the_template() -> Result<(), BoxError> {
    for template in [
        "{{ session.pop('missing') }}",
        "{{ session.update([1]) }}",
        "{{ session.update(a=missing) }}",
        "{{ session.setdefault('a', range) }}",
        "{{ session.nonsense() }}",
        "{{ session.items(1) }}",
        "{{ get_flashed_messages(nonsense=1) }}",
    ] {
        let (client, response) = render(template, &[("b", Value::from(1))]).await?;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{template}");
        assert_eq!(client.session().await?.keys(), ["b"].map(Text::from), "{template}");
    }
    Ok(())
}

#[tokio::test]
async fn consuming_after_the_response_has_begun_is_an_error() -> Result<(), BoxError> {
    let env = environment();
    let client = client_of(environment(), "")?;
    client.session_transaction(|session| session.flash("hi")).await?;
    let closed = client.session().await?;
    let template = "{{ get_flashed_messages() }}";
    let error = env.render_str(template, carafe_minijinja::context(&closed)).unwrap_err();
    let source = std::error::Error::source(&error).and_then(|e| e.downcast_ref::<carafe::Error>());
    assert_eq!(source.map(carafe::Error::kind), Some(carafe::ErrorKind::Closed));
    Ok(())
}

#[tokio::test]
async fn errors_do_not_tell_what_the_session_holds() -> Result<(), BoxError> {
    let mut env = environment();
    env.set_debug(true);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    let client = client_of(env, "{{ session }}{{ session.pop('b') }}")?;
    client.session_transaction(|session| session.insert("a", "top secret")).await?;
    let response = client.get("/").await?;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.text().contains("<session>"), "{}", response.text());
    assert!(!response.text().contains("top secret"), "{}", response.text());
    Ok(())
}

#[tokio::test]
async fn lone_surrogates_are_replaced() -> Result<(), BoxError> {
    let lone = Text::from_utf16(&[0x61, 0xd800]);
    let template = "{% for key in session %}{{ key }}={{ session[key] }}{% endfor %} {{ session }}";
    let client = client_of(environment(), template)?;
    client.session_transaction(|session| session.insert(&lone, lone.clone())).await?;
    let text = "a\u{fffd}=a\u{fffd} &lt;SecureCookieSession {&#39;a\u{fffd}&#39;: &#39;a\u{fffd}&#39;}&gt;";
    assert_eq!(client.get("/").await?.text(), text);
    Ok(())
}

#[tokio::test]
async fn the_deepest_session_is_printed() -> Result<(), BoxError> {
    const LEVELS: usize = 470;
    let mut nested = Value::from("x");
    for _ in 0..LEVELS {
        nested = Value::from(vec![nested]);
    }
    let template = "{{ session.a }}|{{ session.a ~ '' }}|{{ session.a == session.a }}";
    let (_, response) = render(template, &[("a", nested)]).await?;
    let printed = format!("{}&#39;x&#39;{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    assert_eq!(response.text(), format!("{printed}|{printed}|True"));
    Ok(())
}

#[test]
fn names_decide_what_is_escaped() {
    let mut env = environment();
    for (name, escaped) in [
        ("a.html", true),
        ("a.htm", true),
        ("a.xml", true),
        ("a.xhtml", true),
        ("a.svg", true),
        ("a.html.jinja", true),
        ("a.txt", false),
        ("a", false),
    ] {
        env.add_template(name, "{{ '<' }}{{ [1e16, '<'] }}").unwrap();
        let text = env.get_template(name).unwrap().render(context! {}).unwrap();
        let expected = if escaped { "&lt;[1e+16, &#39;&lt;&#39;]" } else { "<[1e+16, '<']" };
        assert_eq!(text, expected, "{name}");
    }
}
