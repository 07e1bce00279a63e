//! The example `two-stacks` on actix-web: the same pages, templates and options, and the same Flask
//! application beside it. `docs/two-stacks.md` tells how to start them.
#![forbid(unsafe_code)]

#[path = "../two-stacks/arguments.rs"]
mod arguments;
mod pages;

use actix_web::web::{Data, scope};
use actix_web::{App, HttpServer};
use arguments::Arguments;
use carafe::SessionLayer;
use pages::Site;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Arguments { listen, prefix } = Arguments::parse(std::env::args().skip(1))?;
    // The application reads the variables of the Flask half: FLASK_SECRET_KEY and the others.
    let sessions = SessionLayer::from_flask_env()?;
    let site = Data::new(Site::new(&prefix)?);
    let app = move || {
        App::new()
            .service(scope(&prefix).configure(pages::routes))
            .app_data(Data::clone(&site))
            .wrap(sessions.clone())
    };
    let server = HttpServer::new(app).bind(&listen);
    let server = server.map_err(|error| format!("can't listen on {listen}: {error}"))?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    Ok(server.run().await?)
}
