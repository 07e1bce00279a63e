//! Encrypted connections.

use tokio_postgres::{Config, Error};

use crate::connection::{self, Connection, Heard};
use crate::socket::Socket;

#[cfg(feature = "tls")]
pub(crate) use with_rustls::Tls;
#[cfg(not(feature = "tls"))]
pub(crate) use without::Tls;

/// The required properties of a server's certificate, and the client's own certificate.
#[derive(Clone, Default)]
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "there is no TLS to set up"))]
pub(crate) struct TlsSettings {
    /// The trusted authorities, in PEM, or else the operating system's.
    pub(crate) roots: Option<Vec<u8>>,
    /// The client's certificate and its key, in PEM.
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether the certificate may have another name than the host.
    pub(crate) any_name: bool,
}

#[cfg(feature = "tls")]
mod with_rustls {
    use std::sync::Arc;

    use carafe::store::{StoreError, StoreErrorKind};
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
    use rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    };
    use tokio_postgres::tls::MakeTlsConnect;
    use tokio_postgres_rustls::MakeRustlsConnect;

    use super::{Config, Connection, Error, Heard, Socket, TlsSettings, connection};

    /// The settings that connections are encrypted with.
    #[derive(Clone)]
    pub(crate) struct Tls(MakeRustlsConnect);

    impl Tls {
        pub(crate) fn new(settings: &TlsSettings) -> Result<Self, StoreError> {
            let provider = Arc::new(ring::default_provider());
            let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|_| unreadable(ROOT))?;
            let roots = Arc::new(roots(settings.roots.as_deref())?);
            let builder = if settings.any_name {
                // Without any authority no certificate is trusted, and there is no verifier to
                // build.
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider);
                let verifier = verifier.build().map_err(|_| unreadable(ROOT))?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName(verifier)))
            } else {
                builder.with_root_certificates(roots)
            };
            let config = match &settings.client {
                Some((chain, key)) => {
                    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| unreadable(KEY))?;
                    let chain = certificates(chain, CLIENT)?;
                    builder.with_client_auth_cert(chain, key).map_err(|_| unreadable(CLIENT))?
                }
                None => builder.with_no_client_auth(),
            };
            Ok(Self(MakeRustlsConnect::new(config)))
        }

        /// Connects over a socket to the server of this name.
        pub(crate) async fn connect(
            &self,
            config: &Config,
            socket: Socket,
            name: String,
            heard: Option<Heard>,
        ) -> Result<Connection, Error> {
            let made = MakeTlsConnect::<Socket>::make_tls_connect(&mut self.0.clone(), &name);
            let tls = made.unwrap_or_else(|never| match never {});
            let (client, io) = config.connect_raw(socket, tls).await?;
            Ok(Connection::new(client, connection::io(io, heard)))
        }
    }

    fn roots(pem: Option<&[u8]>) -> Result<RootCertStore, StoreError> {
        let mut roots = RootCertStore::empty();
        match pem {
            Some(pem) => {
                for certificate in certificates(pem, ROOT)? {
                    roots.add(certificate).map_err(|_| unreadable(ROOT))?;
                }
            }
            None => {
                let native = rustls_native_certs::load_native_certs();
                // Without any certificate, only encrypted connections will fail.
                roots.add_parsable_certificates(native.certs);
            }
        }
        Ok(roots)
    }

    fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
        let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        read.ok().filter(|read| !read.is_empty()).ok_or_else(|| unreadable(what))
    }

    /// Accepts a certificate of a trusted authority under every name, as `sslmode=verify-ca` asks.
    #[derive(Debug)]
    struct AnyName(Arc<WebPkiServerVerifier>);

    impl ServerCertVerifier for AnyName {
        /// The verifier checks the name last, when the certificate is known to be good.
        fn verify_server_cert(
            &self,
            end_entity: &CertificateDer<'_>,
            intermediates: &[CertificateDer<'_>],
            server_name: &ServerName<'_>,
            ocsp_response: &[u8],
            now: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            let verifier = &self.0;
            match verifier.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ) {
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                verified => verified,
            }
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.0.verify_tls12_signature(message, certificate, signed)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.0.verify_tls13_signature(message, certificate, signed)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.supported_verify_schemes()
        }
    }

    const ROOT: &str = "root certificate for PostgreSQL can't be read: it must be in PEM";
    const CLIENT: &str = "client certificate for PostgreSQL can't be read, or isn't that of its key: \
                          it must be in PEM";
    const KEY: &str = "client certificate's key for PostgreSQL can't be read: it must be in PEM, and \
                       not encrypted";

    fn unreadable(what: &str) -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, format!("the {what}"))
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use carafe::store::StoreError;
    use tokio_postgres::NoTls;

    use super::{Config, Connection, Error, Heard, Socket, TlsSettings, connection};

    #[derive(Clone)]
    pub(crate) struct Tls;

    impl Tls {
        pub(crate) fn new(_: &TlsSettings) -> Result<Self, StoreError> {
            Ok(Self)
        }

        pub(crate) async fn connect(
            &self,
            config: &Config,
            socket: Socket,
            _name: String,
            heard: Option<Heard>,
        ) -> Result<Connection, Error> {
            let (client, io) = config.connect_raw(socket, NoTls).await?;
            Ok(Connection::new(client, connection::io(io, heard)))
        }
    }
}
