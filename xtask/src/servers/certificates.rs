//! An authority and a server's certificate, for one run.

use std::fs;
use std::path::PathBuf;

use super::program;
use crate::background::Folder;
use crate::job::Job;
use crate::runner;

/// The certificates that servers with TLS show, and the authority that their clients trust.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: Folder,
}

impl Certificates {
    /// Makes them, for `localhost` and its address.
    pub(crate) fn make(job: &mut Job<'_>) -> Result<Self, String> {
        let made = Self { folder: job.runner.folder()? };
        // The nodes of a Cluster show theirs to each other.
        let extensions = "subjectAltName=DNS:localhost,IP:127.0.0.1\n\
                          extendedKeyUsage=serverAuth,clientAuth\n";
        fs::write(made.folder.path().join("extensions"), extensions)
            .map_err(|error| format!("can't write: {error}"))?;
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch";
        for line in [
            format!(
                "req -x509 {key} -subj /CN=authority -days 2 -keyout authority.key -out authority.pem"
            ),
            format!("req {key} -subj /CN=localhost -keyout server.key -out server.csr"),
            "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
             -days 2 -extfile extensions -out server.pem"
                .to_owned(),
        ] {
            let mut command = runner::command(program(job, "openssl")?);
            command.args(line.split_whitespace()).current_dir(made.folder.path());
            job.runner.run(command)?;
        }
        Ok(made)
    }

    /// The authority's certificate, in PEM.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// A certificate of the name `localhost` that a client may show, and its key, in PEM.
    pub(crate) fn client(&self) -> [PathBuf; 2] {
        ["server.pem", "server.key"].map(|name| self.folder.path().join(name))
    }

    /// The authority's certificate, the server's, and its key.
    pub(super) fn paths(&self) -> [String; 3] {
        ["authority.pem", "server.pem", "server.key"]
            .map(|name| self.folder.path().join(name).to_string_lossy().into_owned())
    }
}
