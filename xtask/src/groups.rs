//! The groups of `cargo xtask test` and of `cargo xtask release-check`.

use std::time::Duration;

use crate::checks::{
    bench, docsrs, interop, packages, portable, python, release, rust, servers, stores,
};
use crate::group::Group;
use crate::need::Need;
use crate::packaged;
use crate::system::Program;

const LIMIT: Duration = Duration::from_secs(20 * 60);

static CHROMIUM: Program = Program {
    name: "chromium",
    commands: &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"],
    apt: "chromium fonts-liberation",
    dnf: "chromium",
    pacman: "chromium",
    brew: "chromium",
};

static CHROMEDRIVER: Program = Program {
    name: "chromedriver",
    commands: &["chromedriver"],
    apt: "chromium-driver",
    dnf: "chromedriver",
    pacman: "chromium",
    brew: "chromedriver",
};

static VALGRIND: Program = Program {
    name: "valgrind",
    commands: &["valgrind"],
    apt: "valgrind",
    dnf: "valgrind",
    pacman: "valgrind",
    brew: "valgrind",
};

static NGINX: Program = Program {
    name: "nginx",
    commands: &["nginx"],
    apt: "nginx",
    dnf: "nginx",
    pacman: "nginx",
    brew: "nginx",
};

pub(crate) static REDIS: Program = Program {
    name: "redis-server",
    commands: &["redis-server", "valkey-server"],
    apt: "redis-server",
    dnf: "redis",
    pacman: "redis",
    brew: "redis",
};

pub(crate) static POSTGRES: Program = Program {
    name: "postgres",
    commands: &["postgres"],
    apt: "postgresql",
    dnf: "postgresql-server",
    pacman: "postgresql",
    brew: "postgresql",
};

static PGBOUNCER: Program = Program {
    name: "pgbouncer",
    commands: &["pgbouncer"],
    apt: "pgbouncer",
    dnf: "pgbouncer",
    pacman: "pgbouncer",
    brew: "pgbouncer",
};

static OPENSSL: Program = Program {
    name: "openssl",
    commands: &["openssl"],
    apt: "openssl",
    dnf: "openssl",
    pacman: "openssl",
    brew: "openssl",
};

/// The groups of `cargo xtask test`, in their order: quick ones, and ones that fail often, are
/// first.
pub(crate) static TEST: &[Group] = &[
    Group {
        name: "fmt",
        about: "the code is formatted, adapters are short, words are clear, and functions have examples",
        needs: &[Need::Component("rustfmt")],
        limit: LIMIT,
        run: rust::fmt,
    },
    Group {
        name: "clippy",
        about: "no warnings from the compiler and from clippy",
        needs: &[Need::Component("clippy")],
        limit: LIMIT,
        run: rust::clippy,
    },
    Group {
        name: "doc",
        about: "the documentation builds without warnings",
        needs: &[],
        limit: LIMIT,
        run: rust::doc,
    },
    Group {
        name: "unit",
        about: "unit, integration and documentation tests of every package",
        needs: &[],
        limit: LIMIT,
        run: rust::unit,
    },
    Group {
        name: "features",
        about: "each feature builds alone, with none, and with all, without warnings",
        needs: &[Need::Component("clippy")],
        limit: LIMIT,
        run: rust::features,
    },
    Group {
        name: "portable",
        about: "no published package depends on what only Unix has, and `carafe` on no C library",
        needs: &[],
        limit: LIMIT,
        run: portable::portable,
    },
    Group {
        name: "ports",
        about: "what was ported from tower-sessions and actix-session answers as before",
        needs: &[],
        limit: LIMIT,
        run: rust::ports,
    },
    Group {
        name: "bench",
        about: "the benchmarks have no warnings and pass their tests; nothing is measured",
        needs: &[Need::Component("rustfmt"), Need::Component("clippy")],
        limit: LIMIT,
        run: bench::check,
    },
    Group {
        name: "crates",
        about: "the example `login` builds with at most 130 crates",
        needs: &[],
        limit: LIMIT,
        run: rust::crates,
    },
    Group {
        name: "instructions",
        about: "the hot paths take no more instructions than they may",
        needs: &[Need::Program(&VALGRIND)],
        limit: LIMIT,
        run: bench::instructions,
    },
    Group {
        name: "interop-exchange",
        about: "random sessions, written by one side and read by the other, real Flask's",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::exchange,
    },
    Group {
        name: "interop-json",
        about: "the fuzzers' JSON and mutations of it, read alike by Carafe and by real Flask",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::json,
    },
    Group {
        name: "interop-tester",
        about: "the differential tester finds the bugs that a twin of Flask's was given",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::tester,
    },
    Group {
        name: "interop-twin",
        about: "random requests, answered alike by the twin and by real Flask",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::twin,
    },
    Group {
        name: "interop-login",
        about: "the example `login` and a Flask app with the same key share their users",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::login,
    },
    Group {
        name: "interop-flask-login",
        about: "random logins, answered alike by the twin on both servers and by real Flask-Login",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::flask_login,
    },
    Group {
        name: "interop-actix",
        about: "on actix-web: the twin beside real Flask, and the example `login-actix`",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::actix,
    },
    Group {
        name: "interop-sealed",
        about: "the vectors of sealed sessions, sealed and opened in Python",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::sealed,
    },
    Group {
        name: "interop-templates",
        about: "templates that use sessions, rendered alike by Carafe and by real Flask",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::templates,
    },
    Group {
        name: "python",
        about: "Flask on the Python package, beside real Flask and beside axum on one store",
        needs: &[Need::Python, Need::Program(&REDIS)],
        limit: LIMIT,
        run: python::python,
    },
    Group {
        name: "load",
        about: "the twin under 64 connections at once: right answers and flat memory",
        needs: &[Need::Python],
        limit: LIMIT,
        run: interop::load,
    },
    Group {
        name: "stores",
        about: "memory and SQLite: 64 clients in one session, logouts, kills, a full disk",
        needs: &[Need::Python],
        limit: LIMIT,
        run: stores::embedded,
    },
    Group {
        name: "redis",
        about: "the store on Redis passes the conformance suite, and loses nothing in crashes",
        needs: &[Need::Python, Need::Program(&REDIS), Need::Program(&OPENSSL)],
        limit: LIMIT,
        run: servers::redis,
    },
    Group {
        name: "redis-cluster",
        about: "the store on a Redis Cluster passes it as well; slots move, and masters die or freeze",
        needs: &[Need::Python, Need::Program(&REDIS), Need::Program(&OPENSSL)],
        limit: LIMIT,
        run: servers::redis_cluster,
    },
    Group {
        name: "redis-6",
        about: "the store on Redis 6.2 passes it, whose scripts have errors of another form",
        needs: &[Need::Python, Need::Packaged(&packaged::REDIS_6)],
        limit: LIMIT,
        run: servers::redis_6,
    },
    Group {
        name: "valkey",
        about: "the store on Valkey passes it, and so does a Cluster of Valkey's whose masters die",
        needs: &[Need::Python, Need::Packaged(&packaged::VALKEY)],
        limit: LIMIT,
        run: servers::valkey,
    },
    Group {
        name: "postgres",
        about: "so does the store on PostgreSQL, also through PgBouncer",
        needs: &[
            Need::Python,
            Need::Program(&POSTGRES),
            Need::Program(&PGBOUNCER),
            Need::Program(&OPENSSL),
        ],
        limit: LIMIT,
        run: servers::postgres,
    },
    Group {
        name: "browser",
        about: "two stacks behind one nginx, on axum and on actix-web, and the examples, in Chromium",
        needs: &[
            Need::Python,
            Need::Program(&CHROMIUM),
            Need::Program(&CHROMEDRIVER),
            Need::Program(&NGINX),
            Need::Program(&REDIS),
            Need::Program(&POSTGRES),
        ],
        limit: LIMIT,
        run: interop::browser,
    },
];

/// The groups of `cargo xtask release-check`.
pub(crate) static RELEASE: &[Group] = &[
    Group {
        name: "deny",
        about: "licences, bans, sources and advisories of all dependencies (cargo-deny)",
        needs: &[],
        limit: Duration::from_secs(45 * 60),
        run: release::deny,
    },
    Group {
        name: "msrv",
        about: "the oldest Rust that is promised, by the dependencies, by lint, and built if it is there",
        needs: &[Need::Component("clippy")],
        limit: LIMIT,
        run: release::msrv,
    },
    Group {
        name: "doc",
        about: "the documentation builds without warnings",
        needs: &[],
        limit: LIMIT,
        run: rust::doc,
    },
    Group {
        name: "docsrs",
        about: "the documentation as docs.rs builds it, with the features that items need",
        needs: &[],
        limit: Duration::from_secs(45 * 60),
        run: docsrs::docsrs,
    },
    Group {
        name: "package",
        about: "all packages are complete and build as they would be published together",
        needs: &[],
        limit: Duration::from_secs(45 * 60),
        run: packages::package,
    },
    Group {
        name: "user",
        about: "applications outside of the workspace build with the packages alone",
        needs: &[],
        limit: Duration::from_secs(45 * 60),
        run: packages::user,
    },
    Group {
        name: "semver",
        about: "the API is compatible with the last release's (cargo-semver-checks)",
        needs: &[],
        limit: Duration::from_secs(45 * 60),
        run: release::semver,
    },
    Group {
        name: "changelog",
        about: "the changelog has an entry for the version",
        needs: &[],
        limit: LIMIT,
        run: release::changelog,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_since_each_has_a_log() {
        for groups in [TEST, RELEASE] {
            let names: HashSet<_> = groups.iter().map(|group| group.name).collect();
            assert_eq!(names.len(), groups.len());
        }
    }
}
