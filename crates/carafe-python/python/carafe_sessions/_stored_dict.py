"""The common part of sessions in a store, for all frameworks."""

from __future__ import annotations

import contextvars
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from ._core import CoreError, Handle
from .errors import reraise

_FLASHES = "_flashes"
#: The largest length of a user's id in a store, in bytes. A longer one is known there by its hash.
_LONGEST_USER = 1024
_Result = TypeVar("_Result")


class Json(Protocol):
    """Writes and reads the tagged JSON of a session's values."""

    def dumps(self, value: Any) -> bytes:
        """The JSON of a value."""
        ...

    def loads(self, json: bytes) -> Any:
        """The value of JSON."""
        ...


class StoredDict(dict[str, Any]):
    """A session in a store: a dict, and beside it a handle of the native session.

    When the response begins, the dict is compared with what was loaded. The changes are saved, and merged with those
    that other requests have made meanwhile.
    """

    _handle: Handle
    _json: Json
    _user_key: str | None = None
    #: The user's id, as text, that the session had when it was last told to the native one.
    _user: str | None = None
    _cleared = False
    _client: tuple[str | None, str | None] = (None, None)
    modified: bool
    #: The users who logged in and out in this request.
    events: list[tuple[str, str]]

    def login(self, user: Any, *, keep: Iterable[str] = (), address: str | None = None, agent: str | None = None) -> None:
        """Begins the session anew as that of a user, under a new id; only the keys to keep stay."""
        known = self._client
        self._staged(lambda handle: handle.login(str(user), list(keep), address or known[0], agent or known[1]))
        self.events.append(("login", str(user)))
        if self._user_key is not None:
            self[self._user_key] = str(user)
            self._user = self._user_now()

    def logout(self) -> None:
        """Ends the session: every copy of its cookie is dead, also for requests that are under way."""
        if self._user is not None:
            self.events.append(("logout", self._user))
        self._staged(lambda handle: handle.logout())

    def rotate(self) -> None:
        """Gives the session a new id, and ends the old one: for when a user's rights change."""
        self._staged(lambda handle: handle.rotate())

    @property
    def public_id(self) -> str | None:
        """The name of the session that may be shown; `None` until it is first saved."""
        return self._handle.public_id

    # The methods below are for the interfaces.

    def _load(self, handle: Handle) -> None:
        """Fills the dict from a session that was opened."""
        self._handle = handle
        self.events = []
        dict.update(self, self._json.loads(handle.json()))
        self._user = self._user_now()

    def _user_now(self) -> str | None:
        """The user's id as text; `None` where no user is logged in."""
        user = None if self._user_key is None else self.get(self._user_key)
        if user is None:
            return None
        # Text that is no Unicode, as Python's strings may be, is none in a store.
        name = str(user).encode("utf-8", "backslashreplace")
        return name.decode() if len(name) <= _LONGEST_USER else "sha256:" + hashlib.sha256(name).hexdigest()

    def _stage(self, closing: bool = False) -> None:
        """Tells the native session what changed in the dict."""
        user = self._user_now()
        same_user = user == self._user
        if same_user and not self._cleared and self._handle.is_unchanged(self._json.dumps(dict(self))):
            return
        logout = self._user is not None and user is None
        if logout and self._user is not None:
            self.events.append(("logout", self._user))
        if closing and not self and not logout:
            logout = self._ends_empty()
        login = None
        if user is not None and not same_user:
            login = (user, *self._client)
            self.events.append(("login", user))
        dumps = self._json.dumps
        entries = [(_text(key), dumps(value)) for key, value in self.items()]
        self._handle.stage(entries, self._cleared, logout, login)
        self._user, self._cleared = user, False

    def _ends_empty(self) -> bool:
        """Whether a session that is left empty has ended. One that held messages alone goes on, since others may come."""
        if self._cleared:
            return True
        before = json.loads(self._handle.json())
        return self._handle.user is None and list(before) not in ([], [_FLASHES])

    def _staged(self, operate: Callable[[Handle], _Result]) -> _Result:
        """Does an operation on the native session, and takes its outcome over into the dict."""
        try:
            self._stage()
            self.modified = True
            result = operate(self._handle)
            self._adopt()
        except CoreError as error:
            reraise(error)
        return result

    def _adopt(self) -> None:
        """Takes over what the native session holds and the dict doesn't."""
        for key, value in self._handle.refresh():
            if value is None:
                dict.pop(self, key, None)
            else:
                dict.__setitem__(self, key, self._json.loads(value))
        self._user = self._user_now()

    def _change(self, change: Callable[[Any], Any]) -> Callable[[bytes | None], bytes]:
        """A function of tagged JSON that may run in another thread, in a copy of the caller's context."""
        context = contextvars.copy_context()

        def changed(old: bytes | None) -> bytes:
            return self._json.dumps(change(None if old is None else self._json.loads(old)))

        return lambda old: context.copy().run(changed, old)


def _text(key: Any) -> str:
    """A key as JSON has it."""
    return key if isinstance(key, str) else next(iter(json.loads(json.dumps({key: None}))))
