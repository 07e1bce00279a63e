//! Half of a site whose other half is Flask with Flask-Login and Flask-WTF: both know the same users,
//! remember them by the same cookie, and take each other's forms. `docs/flask-login.md` tells how to
//! start it.
#![forbid(unsafe_code)]

mod pages;

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::extract::ConnectInfo;
use carafe::SessionLayer;
use carafe::csrf::{CsrfLayer, FlaskWtf};
use carafe::flask_login::{ClientAddress, FlaskLogin};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shared-login: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let [listen, prefix] = arguments(std::env::args().skip(1))?;
    let app = pages::router(&prefix).layer(csrf()?).layer(sessions()?);
    let listener = tokio::net::TcpListener::bind(&listen)
        .await
        .map_err(|error| format!("can't listen on {listen}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

/// The Flask site's sessions and logins, with the settings of the same variables.
fn sessions() -> Result<SessionLayer, carafe::Error> {
    let logins = FlaskLogin::default()
        .from_prefixed_env()?
        // nginx replaces the header by the client's address, and Flask-Login 0.6 reads it.
        .address(ClientAddress::FirstForwarded)
        .peer(|extensions| {
            extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
        });
    SessionLayer::from_flask_env()?.flask_login(logins)
}

/// The tokens of the Flask site's forms.
fn csrf() -> Result<CsrfLayer, carafe::Error> {
    Ok(CsrfLayer::same_host().flask_wtf_with(FlaskWtf::default().from_prefixed_env()?))
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<[String; 2], String> {
    let mut parsed = ["127.0.0.1:5001".to_owned(), "/rs".to_owned()];
    while let Some(name) = given.next() {
        let target = match name.as_str() {
            "--listen" => &mut parsed[0],
            "--prefix" => &mut parsed[1],
            _ => {
                return Err(format!(
                    "there is no option {name}; use: --listen ADDRESS --prefix /PREFIX"
                ));
            }
        };
        *target = given.next().ok_or_else(|| format!("{name} needs a value"))?;
    }
    Ok(parsed)
}
