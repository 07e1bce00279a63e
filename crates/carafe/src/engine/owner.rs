//! Finds the layer that owns a session's cookie, among several layers around a handler.

use std::sync::Arc;

use http::Extensions;

use super::{Backend, Engine, Slot};
use crate::{Error, ErrorKind};

/// The name of a layer's sessions, for handlers below several layers.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    /// The name of the marker type.
    pub(crate) marker: &'static str,
    /// Puts a slot into a request under this name.
    pub(crate) insert: fn(&mut Extensions, &Arc<Slot>),
}

/// The layer that opens and saves the session of a request.
#[derive(Debug)]
pub(crate) enum Owner {
    /// The present layer.
    This,
    /// An outer clone of the layer, with its slot. The session is left to it.
    Outer(Arc<Slot>),
}

impl Engine {
    /// Returns the owner of a request's session. `outer` are the slots of the layers that the
    /// request has passed.
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if a layer with other settings uses the same cookie: each of the two
    /// would overwrite the other's cookie.
    pub(crate) fn owner<'a>(
        &self,
        outer: impl Iterator<Item = &'a Arc<Slot>>,
    ) -> Result<Owner, Error> {
        let mut in_same_cookie = outer.filter(|slot| self.has_cookie_of(&slot.engine));
        match in_same_cookie.next() {
            None => Ok(Owner::This),
            Some(slot) if self.has_sessions_of(&slot.engine) => Ok(Owner::Outer(Arc::clone(slot))),
            Some(slot) => Err(self.conflict(&slot.engine)),
        }
    }

    /// Returns whether the browser keeps one cookie for both: the same name, domain and path.
    fn has_cookie_of(&self, other: &Self) -> bool {
        let [this, other] = [self, other].map(|engine| {
            let attributes = engine.config().attributes();
            (attributes.name, attributes.domain, attributes.path)
        });
        this == other
    }

    /// Returns whether both open and save the same sessions. The page for errors may differ.
    fn has_sessions_of(&self, other: &Self) -> bool {
        self.identity == other.identity
            && self.login_page == other.login_page
            && self.confirm_page == other.confirm_page
    }

    #[cold]
    fn conflict(&self, outer: &Self) -> Error {
        let attributes = self.config().attributes();
        Error::new(
            ErrorKind::Setting,
            format!(
                "two session layers own the cookie {:?} of the path {:?}: the outer one, {outer}, \
                 and the inner one, {inner}. Put clones of one layer around both, or give one of them \
                 another `cookie_name`",
                attributes.name,
                attributes.path,
                outer = outer.description(),
                inner = self.description(),
            ),
        )
    }

    /// Describes this layer in an error that names several layers.
    fn description(&self) -> String {
        let place = match &self.backend {
            Backend::Cookie => "with sessions in the cookie",
            Backend::Revocable(_) => "with sessions in the cookie and revocations",
            Backend::Stored(_) => "with sessions in a store",
        };
        let name = self.name.map_or("without a name", |name| name.marker);
        let login = self
            .login_page
            .as_ref()
            .map_or("no login page".to_owned(), |page| format!("the login page {:?}", page.path()));
        format!("{name}, {place} and {login}")
    }
}
