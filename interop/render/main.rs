//! Renders templates for `interop/test_templates.py`: a JSON object a line in, one a line out.
#![forbid(unsafe_code)]

use std::io::{BufRead as _, Write as _};

use carafe::testing::Client;
use carafe::value::{Dict, Value};
use carafe::{SecretKey, SessionLayer};
use minijinja::Environment;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let environment = environment();
    let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let Value::Dict(mut request) = Value::from_tagged_json(line?.as_bytes())? else {
            return Err("a request must be a JSON object".into());
        };
        let (Some(Value::Text(template)), Some(Value::Dict(session))) =
            (request.remove("template"), request.remove("session"))
        else {
            return Err("a request must have a template and a session".into());
        };
        let template = template.into_string().map_err(|_| "the template isn't Unicode")?;
        let answer = runtime.block_on(render(&environment, &sessions, &template, session))?;
        writeln!(out, "{}", Value::Dict(answer).to_tagged_json()?)?;
        out.flush()?;
    }
    Ok(())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    carafe_minijinja::add_to_environment(&mut environment);
    carafe_minijinja::add_url_for(&mut environment, |endpoint| match endpoint {
        "index" => Some("/"),
        "profile" => Some("/user/{name}"),
        "static" => Some("/static/{*filename}"),
        _ => None,
    });
    environment
}

/// The text or the error, and the session of the next request.
async fn render(
    environment: &Environment<'_>,
    sessions: &SessionLayer,
    template: &str,
    session: Dict,
) -> Result<Dict, carafe::Error> {
    let client = Client::new((), sessions);
    client.session_transaction(|opened| opened.extend(session)).await?;
    let render = |session: &carafe::Session| {
        Ok(environment.render_str(template, carafe_minijinja::context(session)))
    };
    let mut answer = match client.session_transaction(render).await? {
        Ok(text) => Dict::from([("text", text)]),
        Err(error) => Dict::from([("error", error.to_string())]),
    };
    answer.insert("session", client.session().await?.to_dict());
    Ok(answer)
}
