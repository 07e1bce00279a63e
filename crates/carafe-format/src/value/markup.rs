//! Text that is HTML already.

use std::fmt;

use super::Text;

/// Text that is HTML already, and that templates do not escape again: MarkupSafe's `Markup`.
///
/// Its `Debug` form shows only the size.
///
/// ```
/// use carafe::value::{Markup, Value};
///
/// let value = Value::from(Markup::from("<b>hi</b>"));
/// assert_eq!(value.to_tagged_json()?, r#"{" m":"<b>hi</b>"}"#);
/// assert_eq!(value.deserialize_into::<Markup>()?.as_text(), "<b>hi</b>");
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Markup(Text);

impl Markup {
    /// Returns the HTML.
    ///
    /// ```
    /// use carafe::value::Markup;
    ///
    /// assert_eq!(Markup::from("<b>hi</b>").as_text(), "<b>hi</b>");
    /// ```
    #[must_use]
    pub fn as_text(&self) -> &Text {
        &self.0
    }

    /// Returns the HTML.
    ///
    /// ```
    /// use carafe::value::{Markup, Text};
    ///
    /// let html: Text = Markup::from("<b>hi</b>").into_text();
    /// assert_eq!(html.as_str(), Some("<b>hi</b>"));
    /// ```
    #[must_use]
    pub fn into_text(self) -> Text {
        self.0
    }
}

impl<T: Into<Text>> From<T> for Markup {
    /// Declares a text to be HTML. Escape text from outside first.
    fn from(html: T) -> Self {
        Self(html.into())
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Markup({} bytes)", self.0.as_wtf8().len())
    }
}
