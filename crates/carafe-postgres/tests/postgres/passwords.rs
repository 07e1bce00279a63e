//! Passwords, and the servers that are told them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use carafe::id::PublicId;
use carafe::store::StoreErrorKind;
use carafe_postgres::{PostgresOptions, PostgresStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server without TLS that asks for the password in clear text, and what it is told.
struct Curious {
    port: u16,
    told: Arc<Mutex<Vec<u8>>>,
}

impl Curious {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&told);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let told = Arc::clone(&shared);
                tokio::spawn(async move { drop(Self::ask(client, &told).await) });
            }
        });
        Self { port, told }
    }

    async fn ask(mut client: TcpStream, told: &Mutex<Vec<u8>>) -> std::io::Result<()> {
        let mut bytes = [0; 1024];
        loop {
            let read = client.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            told.lock().unwrap().extend(&bytes[..read]);
            match bytes[..read] {
                [0, 0, 0, 8, ..] => client.write_all(b"N").await?,
                [b'p', ..] => return Ok(()),
                _ => client.write_all(b"R\0\0\0\x08\0\0\0\x03").await?,
            }
        }
    }

    /// The options for a store that goes there, by an address that counts as another machine's if
    /// `host` is `0.0.0.0`.
    fn options(&self, host: &str, parameters: &str) -> PostgresOptions {
        let url = format!("postgres://app:pa55word@{host}:{}/app{parameters}", self.port);
        PostgresStore::options(url).connect_timeout(Duration::from_secs(10))
    }

    /// Whether it is told a text, and the error of the store.
    async fn is_told(&self, options: PostgresOptions, text: &str) -> (bool, String) {
        let error = options.open().unwrap().ping().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        assert!(!format!("{error} {error:?}").contains("pa55word"), "{error}");
        let told = self.told.lock().unwrap();
        (told.windows(text.len()).any(|part| part == text.as_bytes()), error.to_string())
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn beyond_this_machine_a_server_without_tls_is_told_nothing() {
    let server = Curious::start().await;
    let (told, error) = server.is_told(server.options("0.0.0.0", ""), "app").await;
    assert!(!told && error.contains("no TLS") && error.contains("sslmode=disable"), "{error}");
    for parameters in ["?sslmode=require", "?sslmode=verify-ca", "?sslmode=verify-full"] {
        let options = server.options("0.0.0.0", parameters);
        let options = match std::env::var_os("CARAFE_ROOT_CERTIFICATE") {
            Some(file) => options.root_certificate(std::fs::read(file).unwrap()),
            None => options,
        };
        assert!(!server.is_told(options, "app").await.0, "{parameters}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_password_is_sent_in_clear_text_only_where_the_url_goes_without_tls() {
    for (parameters, expected) in
        [("?sslmode=prefer", false), ("?sslmode=allow", false), ("?sslmode=disable", true)]
    {
        let server = Curious::start().await;
        let options = server.options("0.0.0.0", parameters);
        let (told, error) = server.is_told(options, "pa55word").await;
        assert_eq!(told, expected, "{parameters}: {error}");
        assert!(expected || error.contains("in clear text"), "{error}");
    }
}

#[tokio::test]
async fn on_this_machine_nothing_can_listen() {
    let server = Curious::start().await;
    assert!(server.is_told(server.options("127.0.0.1", ""), "pa55word").await.0);
}

#[tokio::test]
async fn a_password_in_a_file_is_read_for_each_connection() {
    let server = Curious::start().await;
    let name = format!("carafe-password-{}", PublicId::random().unwrap());
    let file = std::env::temp_dir().join(name);
    let store = server.options("127.0.0.1", "").password_file(&file).open().unwrap();
    let error = store.ping().await.unwrap_err();
    assert!(error.to_string().contains("the file with its password"), "{error}");
    for password in ["first", "second"] {
        std::fs::write(&file, format!("{password}\n")).unwrap();
        store.ping().await.unwrap_err();
        let told = server.told.lock().unwrap().clone();
        assert!(told.ends_with(format!("{password}\0").as_bytes()), "{password}");
    }
    std::fs::remove_file(&file).unwrap();
}
