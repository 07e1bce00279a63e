use carafe::store::{StoreError, StoreErrorKind};
use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};

/// Certificates in PEM.
#[derive(Clone, Default)]
pub(crate) struct Certificates {
    pub(crate) root: Option<Vec<u8>>,
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Certificates {
    /// Adds the certificates to a connection with TLS; other connections are left as they are.
    pub(crate) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, StoreError> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Ok(info);
        }
        // rustls takes the process's provider, and panics without one if it can't choose. Another
        // thread may have set one first: then its provider is as good.
        if CryptoProvider::get_default().is_none() {
            drop(ring::default_provider().install_default());
        }
        if self.root.is_none() && self.client.is_none() {
            return Ok(info);
        }
        let certificates = TlsCertificates {
            client_tls: self
                .client
                .clone()
                .map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key }),
            root_cert: self.root.clone(),
        };
        let client = Client::build_with_tls(info, certificates).map_err(|_| {
            StoreError::new(
                StoreErrorKind::Unavailable,
                "a certificate or key for the Redis server can't be read: they must be in PEM",
            )
        })?;
        Ok(client.get_connection_info().clone())
    }
}
