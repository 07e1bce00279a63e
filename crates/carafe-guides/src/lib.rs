//! Compiles the Rust code of the guides in `docs/` and of the READMEs: each document is the documentation
//! of a struct that exists in documentation tests alone.
#![forbid(unsafe_code)]

/// Names the document to compile.
macro_rules! compile {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../", $path))]
            #[derive(Debug)]
            pub struct $name;
        )*
    };
}

compile! {
    Start: "docs/start.md",
    Concepts: "docs/concepts.md",
    Axum: "docs/axum.md",
    Actix: "docs/actix-web.md",
    LoggingIn: "docs/logging-in.md",
    Live: "docs/live.md",
    Middleware: "docs/middleware.md",
    CsrfGuide: "docs/csrf.md",
    Spa: "docs/spa.md",
    Testing: "docs/testing.md",
    Keys: "docs/keys.md",
    FromFlask: "docs/from-flask.md",
    TwoStacks: "docs/two-stacks.md",
    FlaskLogin: "docs/flask-login.md",
    Stores: "docs/stores.md",
    Telemetry: "docs/telemetry.md",
    Sqlite: "crates/carafe-sqlite/README.md",
    Redis: "crates/carafe-redis/README.md",
    Postgres: "crates/carafe-postgres/README.md",
    StoreTests: "crates/carafe-store-tests/README.md",
}
