/// The texts of a [`SessionsPage`](super::SessionsPage): English, unless set otherwise. All of them
/// are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Texts {
    /// The language of the texts, as in HTML's `lang`: `en`.
    pub language: String,
    /// The title and heading: "Your sessions".
    pub title: String,
    /// The mark of the session that looks at the page: "This session".
    pub current: String,
    /// The text for a session without a known device: "Unknown device".
    pub unknown_agent: String,
    /// The text before the time of login: "Signed in".
    pub signed_in: String,
    /// The text before the time of the last use: "Last seen".
    pub last_seen: String,
    /// The text before the address that the user logged in from: "Address".
    pub address: String,
    /// The button that ends another session: "End".
    pub end: String,
    /// The button that ends this session: "Sign out".
    pub sign_out: String,
    /// The button that ends all sessions but this one: "End all other sessions".
    pub end_others: String,
    /// The button that ends all sessions: "Sign out everywhere".
    pub sign_out_everywhere: String,
    /// The link to the next part of a long list: "More sessions".
    pub next: String,
    /// The link to the previous part of a long list: "Previous sessions".
    pub previous: String,
    /// The link to [`home`](super::SessionsPage::home): "Back".
    pub back: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            language: "en".to_owned(),
            title: "Your sessions".to_owned(),
            current: "This session".to_owned(),
            unknown_agent: "Unknown device".to_owned(),
            signed_in: "Signed in".to_owned(),
            last_seen: "Last seen".to_owned(),
            address: "Address".to_owned(),
            end: "End".to_owned(),
            sign_out: "Sign out".to_owned(),
            end_others: "End all other sessions".to_owned(),
            sign_out_everywhere: "Sign out everywhere".to_owned(),
            next: "More sessions".to_owned(),
            previous: "Previous sessions".to_owned(),
            back: "Back".to_owned(),
        }
    }
}
