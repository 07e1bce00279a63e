"""Sessions that are in their cookies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from flask.sessions import SecureCookieSession

from ._core import Snapshot
from .errors import NoStoreError


class CookieSession(SecureCookieSession):
    """Flask's session, with the methods of a session in a store as far as a cookie can have them."""

    #: What the cookie held, where Flask's serializer didn't read it.
    _came_as: bytes | None = None
    #: What the cookie held, where the native part has read it.
    _snapshot: Snapshot | None = None
    _user_key: str | None = None

    @staticmethod
    def on_update(session: CookieSession) -> None:
        """Werkzeug calls it when a key is set or removed."""
        session.modified = True

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """`dict.update`; or with a key and a function, changes the key by the function of its value."""
        if len(args) == 2 and callable(args[1]) and not kwargs:
            self[args[0]] = new = args[1](self.get(args[0]))
            return new
        return super().update(*args, **kwargs)

    def update_now(self, key: str, change: Callable[[Any], Any]) -> Any:
        """Changes a key like `update` with a function. A cookie is saved with the response."""
        return self.update(key, change)

    def take_now(self, key: str) -> Any:
        """Removes a key and returns its value; `None` without one. A cookie is saved with the response."""
        return self.pop(key, None)

    def save(self) -> None:
        """Does nothing: a cookie is saved with the response."""

    def login(self, user: Any, *, keep: Iterable[str] = (), address: str | None = None, agent: str | None = None) -> None:
        """Begins the session anew as that of a user; only the keys to keep stay."""
        kept = {key: self[key] for key in keep if key in self}
        self.clear()
        self.update(kept)
        if self._user_key is not None:
            self[self._user_key] = str(user)

    def logout(self) -> None:
        """Empties the session, which removes the cookie. A copy of the cookie stays valid."""
        self.clear()

    def rotate(self) -> None:
        """Signs the cookie anew: a session in a cookie has no id."""
        self.modified = True

    def _needs_store(self, *_args: Any) -> NoReturn:
        raise NoStoreError(
            "sessions in cookies can't be listed or ended from elsewhere: give the SessionInterface a store"
        )

    sessions = revoke = logout_others = logout_everywhere = _needs_store
