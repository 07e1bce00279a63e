//! The servers that are measured.

/// Servers that are measured together. The first is the handler without a session that the others
/// are compared with.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    /// The number of threads that work in each server in Rust. One has a processor for itself.
    pub(crate) threads: usize,
    pub(crate) servers: &'static [Entry],
}

/// A server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// The name in the report.
    pub(crate) title: &'static str,
    pub(crate) program: Program,
    /// The variable of the environment without which it can't be.
    pub(crate) needs: Option<&'static str>,
}

impl Entry {
    /// Whether its handlers have a session.
    pub(crate) fn has_session(&self) -> bool {
        !matches!(self.name, "bare" | "actix-bare")
    }
}

/// The command that starts a server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// This program.
    This,
    /// Another program in the same folder, and its argument.
    Other(&'static str, &'static str),
    /// A Python with Flask and gunicorn.
    Flask,
}

const REDIS: Option<&str> = Some("CARAFE_REDIS_URL");
const POSTGRES: Option<&str> = Some("CARAFE_POSTGRES_URL");

const fn this(name: &'static str, title: &'static str) -> Entry {
    Entry { name, title, program: Program::This, needs: None }
}

const fn other(
    name: &'static str,
    title: &'static str,
    program: &'static str,
    argument: &'static str,
) -> Entry {
    Entry { name, title, program: Program::Other(program, argument), needs: None }
}

const fn at(server: Option<&'static str>, entry: Entry) -> Entry {
    Entry { needs: server, ..entry }
}

const BARE: Entry = this("bare", "axum, no session");
const SIGNED: &str = "**Carafe** signed, never compressed";
const MEMORY: &str = "**Carafe** in memory";
const JAR: &str = "axum-extra 0.12 `SignedCookieJar`";
const TOWER_SESSIONS: &str = "tower-sessions 0.15 in memory";
const STORES: &str = "tower-sessions-stores";

const CARAFE_REDIS: Entry = at(REDIS, this("carafe-redis", "**Carafe** in Redis"));
const TOWER_SESSIONS_REDIS: Entry =
    at(REDIS, other("tower-sessions-redis", "tower-sessions 0.14 in Redis", STORES, "redis"));
const CARAFE_POSTGRES: Entry = at(POSTGRES, this("carafe-postgres", "**Carafe** in PostgreSQL"));
const TOWER_SESSIONS_POSTGRES: Entry = at(
    POSTGRES,
    other(
        "tower-sessions-postgres",
        "tower-sessions 0.14 in PostgreSQL, by SQLx",
        STORES,
        "postgres",
    ),
);
const TOWER_SESSIONS_POSTGRES_UNTESTED: Entry = at(
    POSTGRES,
    other(
        "tower-sessions-postgres-untested",
        "the same, with connections that are not tested before each use",
        STORES,
        "postgres-untested",
    ),
);

pub(crate) const SECTIONS: [Section; 5] = [
    Section {
        title: "On axum",
        about: "",
        threads: 1,
        servers: &[
            BARE,
            this("carafe-signed", SIGNED),
            other("carafe-metrics", "**Carafe** the same, with metrics", "metrics", ""),
            this("carafe-flask", "**Carafe** as Flask: signed, compressed where that helps"),
            this("carafe-sealed", "**Carafe** sealed"),
            this("carafe-memory", MEMORY),
            this("signed-cookie-jar", JAR),
            this("tower-sessions-memory", TOWER_SESSIONS),
            Entry { program: Program::Flask, ..this("flask", "Flask under gunicorn") },
        ],
    },
    Section {
        title: "On actix-web",
        about: "",
        threads: 1,
        servers: &[
            this("actix-bare", "actix-web, no session"),
            this("actix-carafe-signed", SIGNED),
            this("actix-session-signed", "actix-session 0.11, signed cookies"),
            this("actix-carafe-sealed", "**Carafe** sealed"),
            this("actix-session-private", "actix-session 0.11, encrypted cookies"),
        ],
    },
    Section {
        title: "On axum, with two threads",
        about: "As above, but for the threads, which share both processors with the load: for what \
                threads do to each other, as where sessions are in one memory. What the processors \
                do besides makes the numbers less sure.\n\n",
        threads: 2,
        servers: &[
            BARE,
            this("carafe-signed", SIGNED),
            this("carafe-memory", MEMORY),
            this("signed-cookie-jar", JAR),
            this("tower-sessions-memory", TOWER_SESSIONS),
        ],
    },
    Section {
        title: "In SQLite, Redis and PostgreSQL",
        about: "All on axum, beside tower-sessions with the same store. CPU is that of the web server \
                alone, which has SQLite in it; Redis and PostgreSQL are processes of their own on \
                either processor, and serve both. Each side has as many connections: to SQLite three \
                (the crate tower-sessions-rusqlite-store has one, and no choice), to Redis one, and \
                to PostgreSQL eight at most. Each side's write is answered when it is as safe: SQLite \
                with a write-ahead log and `synchronous = full`, Redis with `appendfsync everysec`, \
                PostgreSQL as it is installed. PostgreSQL remembers both sides' statements, which \
                SQLx always asks for and Carafe by `prepared_statements(true)`. All else is as each \
                crate has it. Unlike \
                tower-sessions, Carafe compares versions when it writes, so that no request overwrites \
                what another one has just written.\n\n",
        threads: 1,
        servers: &[
            BARE,
            this("carafe-sqlite", "**Carafe** in SQLite"),
            other(
                "tower-sessions-rusqlite",
                "tower-sessions 0.15 in SQLite, by rusqlite",
                "tower-sessions-rusqlite",
                "",
            ),
            other(
                "tower-sessions-sqlite",
                "tower-sessions 0.14 in SQLite, by SQLx",
                STORES,
                "sqlite",
            ),
            CARAFE_REDIS,
            TOWER_SESSIONS_REDIS,
            CARAFE_POSTGRES,
            TOWER_SESSIONS_POSTGRES,
            TOWER_SESSIONS_POSTGRES_UNTESTED,
        ],
    },
    Section {
        title: "In Redis and PostgreSQL, with two threads",
        about: "As above, but for the threads, which share both processors with the load and the \
                stores' servers: how all of them are scheduled is a large part of what is measured.\n\n",
        threads: 2,
        servers: &[
            BARE,
            CARAFE_REDIS,
            TOWER_SESSIONS_REDIS,
            CARAFE_POSTGRES,
            TOWER_SESSIONS_POSTGRES,
            TOWER_SESSIONS_POSTGRES_UNTESTED,
        ],
    },
];

/// The names of all servers.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().flat_map(|section| section.servers).map(|server| server.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn sections_begin_with_what_has_no_session_and_name_each_server_once() {
        for section in &SECTIONS {
            assert_eq!(section.servers.iter().position(|server| !server.has_session()), Some(0));
            let names: HashSet<_> = section.servers.iter().map(|server| server.name).collect();
            assert_eq!(names.len(), section.servers.len());
        }
        assert!(names().any(|name| name == "carafe-signed"));
    }
}
