//! PgBouncer, in front of PostgreSQL.

use std::fs;

use super::{Postgres, Server, Start, User, connect, free_port, program};
use crate::background::Folder;
use crate::job::Job;

/// A pooler that gives each transaction a connection.
#[derive(Debug)]
pub(crate) struct PgBouncer {
    server: Server,
    _folder: Folder,
}

impl PgBouncer {
    /// Starts it in front of a server. It lets every user of that in.
    pub(crate) fn start(
        job: &mut Job<'_>,
        name: &str,
        postgres: &Postgres,
    ) -> Result<Self, String> {
        let (port, folder) = (free_port()?, job.runner.folder()?);
        let (user, users) = (User::unprivileged()?, folder.path().join("users.txt"));
        let configuration = format!(
            "[databases]\n\
             * = host=127.0.0.1 port={}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = trust\n\
             auth_file = {}\n\
             auth_user = postgres\n\
             pool_mode = transaction\n\
             max_client_conn = 1000\n\
             default_pool_size = 4\n\
             server_idle_timeout = 2\n",
            postgres.port(),
            users.display()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&users, "\"postgres\" \"\"\n")
            .and_then(|()| fs::write(&file, configuration))
            .map_err(|error| format!("can't configure PgBouncer: {error}"))?;
        let start = Start {
            name: name.to_owned(),
            program: program(job, "pgbouncer")?,
            arguments: vec![file.to_string_lossy().into_owned()],
            user,
            signal: "TERM",
            answers: |port| connect(port, b"").map(|_| true),
            port,
        };
        Ok(Self { server: Server::start(job, start)?, _folder: folder })
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.server.start.port)
    }
}
