//! Half of an application, whose other half runs on Flask: both behind one nginx, with the same
//! key, the same session and the same templates. `docs/two-stacks.md` tells how to start them.
#![forbid(unsafe_code)]

mod arguments;
mod pages;

use std::process::ExitCode;

use carafe::SessionLayer;

use arguments::Arguments;
use pages::Site;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("two-stacks: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    // The application reads the variables of the Flask half: FLASK_SECRET_KEY and the others.
    let sessions = SessionLayer::from_flask_env()?;
    let app = Site::new(&arguments.prefix)?.router().layer(sessions);
    let listener = tokio::net::TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", arguments.listen))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
