use tokio_postgres::{Config, Error};

use crate::connection::Connection;

#[cfg(feature = "tls")]
pub(crate) use with_rustls::Tls;
#[cfg(not(feature = "tls"))]
pub(crate) use without::Tls;

#[cfg(feature = "tls")]
mod with_rustls {
    use std::sync::Arc;

    use carafe::store::{StoreError, StoreErrorKind};
    use rustls::crypto::ring;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::{ClientConfig, RootCertStore};
    use tokio_postgres_rustls::MakeRustlsConnect;

    use super::{Config, Connection, Error};

    /// What connections are encrypted with.
    pub(crate) struct Tls(MakeRustlsConnect);

    impl Tls {
        /// With the authorities of this PEM text, or else the operating system's.
        pub(crate) fn new(roots: Option<&[u8]>) -> Result<Self, StoreError> {
            let mut store = RootCertStore::empty();
            match roots {
                Some(pem) => {
                    for certificate in CertificateDer::pem_slice_iter(pem) {
                        let certificate = certificate.map_err(|_| unreadable())?;
                        store.add(certificate).map_err(|_| unreadable())?;
                    }
                }
                None => {
                    let native = rustls_native_certs::load_native_certs();
                    // Where there are none, only encrypted connections will fail.
                    store.add_parsable_certificates(native.certs);
                }
            }
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|_| unreadable())?
                .with_root_certificates(store)
                .with_no_client_auth();
            Ok(Self(MakeRustlsConnect::new(config)))
        }

        pub(crate) async fn connect(&self, config: &Config) -> Result<Connection, Error> {
            let (client, io) = config.connect(self.0.clone()).await?;
            Ok(Connection::new(client, Box::pin(io)))
        }
    }

    fn unreadable() -> StoreError {
        StoreError::new(
            StoreErrorKind::Unavailable,
            "the root certificate for PostgreSQL can't be read: it must be in PEM",
        )
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use tokio_postgres::NoTls;

    use super::{Config, Connection, Error};

    pub(crate) struct Tls;

    impl Tls {
        pub(crate) async fn connect(&self, config: &Config) -> Result<Connection, Error> {
            let (client, io) = config.connect(NoTls).await?;
            Ok(Connection::new(client, Box::pin(io)))
        }
    }
}
