"""What sessions in a store have in common, whatever framework they are for."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from ._core import CoreError, Handle
from .errors import reraise

_FLASHES = "_flashes"
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
    #: The user as the native session knows it so far.
    _user: Any = None
    #: The user where only the record, and not the session's content, has it.
    _of_record: str | None = None
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
            dict.__setitem__(self, self._user_key, str(user))
            self._user = self[self._user_key]
            self._of_record = None

    def logout(self) -> None:
        """Ends the session: every copy of its cookie is dead, also for requests that are under way."""
        if self._user is not None:
            self.events.append(("logout", str(self._user)))
        self._staged(lambda handle: handle.logout())

    def rotate(self) -> None:
        """Gives the session a new id, and ends the old one: for when a user's rights change."""
        self._staged(lambda handle: handle.rotate())

    @property
    def public_id(self) -> str | None:
        """The name of the session that may be shown; `None` until it is first saved."""
        return self._handle.public_id

    # What follows is for the interfaces.

    def _load(self, handle: Handle) -> None:
        """Fills the dict from a session that was opened."""
        self._handle = handle
        self.events = []
        dict.update(self, self._json.loads(handle.json()))
        self._note_user()

    def _note_user(self) -> None:
        """A user whom only the record names, such as one who logged in at another service, is in the dict as well."""
        key, self._of_record = self._user_key, None
        if key is None:
            return
        if key not in self:
            self._of_record = self._handle.user
            if self._of_record is not None:
                dict.__setitem__(self, key, self._of_record)
        self._user = self.get(key)

    def _stage(self, closing: bool = False) -> None:
        """Tells the native session what changed in the dict."""
        user = None if self._user_key is None else self.get(self._user_key)
        same_user = user == self._user
        if same_user and not self._cleared and self._handle.is_unchanged(self._json.dumps(self._content())):
            return
        logout = self._user is not None and user is None
        if closing and not self and not logout:
            logout = self._ends_empty()
        login = None
        if user is not None and not same_user:
            login = (str(user), *self._client)
            self._of_record = None
            self.events.append(("login", str(user)))
        elif self._user is not None and user is None:
            self.events.append(("logout", str(self._user)))
        dumps = self._json.dumps
        entries = [(_text(key), dumps(value)) for key, value in self._content().items()]
        self._handle.stage(entries, self._cleared, logout, login)
        self._user, self._cleared = user, False

    def _content(self) -> dict[str, Any]:
        """The dict without what only the record has."""
        content = dict(self)
        key = self._user_key
        if key is not None and self._of_record is not None and content.get(key) == self._of_record:
            del content[key]
        return content

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
        if self._of_record is not None and self._user_key is not None:
            dict.pop(self, self._user_key, None)
        self._note_user()

    def _change(self, change: Callable[[Any], Any]) -> Callable[[bytes | None], bytes]:
        """A function of tagged JSON that may run in another thread, in a copy of the caller's context."""
        context = contextvars.copy_context()

        def changed(old: bytes | None) -> bytes:
            return self._json.dumps(change(None if old is None else self._json.loads(old)))

        return lambda old: context.copy().run(changed, old)


def _text(key: Any) -> str:
    """A key as JSON has it."""
    return key if isinstance(key, str) else next(iter(json.loads(json.dumps({key: None}))))
