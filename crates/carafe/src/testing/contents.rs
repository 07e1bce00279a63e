use std::fmt;

use crate::Session;
use crate::content::View;
use crate::value::{Dict, Value};

/// The content of a session, for the message of a failing test.
struct Contents(Dict);

impl Session {
    /// Returns the session's content in a printable form: its tagged JSON. It is for tests only,
    /// since the session's own [`Debug`](fmt::Debug) output, which may end up in logs, shows
    /// neither keys nor values.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{SecretKey, SessionLayer, testing::Client};
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let client = Client::new((), &sessions);
    /// client.session_transaction(|session| session.insert("cart", ["pear"])).await?;
    /// let session = client.session().await?;
    /// assert_eq!(session.len(), 1, "{:?}", session.debug_contents());
    /// # assert_eq!(format!("{:?}", session.debug_contents()), r#"{"cart":{" t":["pear"]}}"#);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn debug_contents(&self) -> impl fmt::Debug + use<> {
        Contents(self.read(View::to_dict))
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Value::Dict(self.0.clone()).to_tagged_json() {
            Ok(json) => f.write_str(&json),
            Err(error) => write!(f, "no JSON: {error}"),
        }
    }
}
