"""Sessions that are in a store."""

from __future__ import annotations

import contextvars
import functools
import json
from collections.abc import Callable, Iterable
from typing import Any

from flask.sessions import SecureCookieSession

from ._core import CoreError, Engine, Handle
from ._serializer import Json
from .errors import reraise

_FLASHES = "_flashes"


class StoredSession(SecureCookieSession):
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
    #: The users who logged in and out in this request, for signals.
    events: list[tuple[str, str]]

    def clear(self) -> None:
        """Removes every key, those that other requests have added meanwhile among them."""
        self._cleared = True
        super().clear()

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """`dict.update`; or with a key and a function, changes the key by the function of its value.

        The function may run again when the session is saved, on the value that another request has written
        meanwhile, so that no update is lost. It must have no effect of its own. Returns the new value.

            visits = session.update("visits", lambda n: (n or 0) + 1)
        """
        if len(args) == 2 and callable(args[1]) and not kwargs:
            key, change = args
            self._staged(lambda handle: handle.update(key, self._change(change)))
            return self[key]
        return super().update(*args, **kwargs)

    def update_now(self, key: str, change: Callable[[Any], Any]) -> Any:
        """As `update` with a function, saved at once: no other request is told the same value."""
        return self._json.loads(self._staged(lambda handle: handle.update_now(key, self._change(change))))

    def take_now(self, key: str) -> Any:
        """Removes a key and returns its value, saved at once: of several requests only one gets it."""
        taken = self._staged(lambda handle: handle.take_now(key))
        return None if taken is None else self._json.loads(taken)

    def save(self) -> None:
        """Saves the session now, so that other requests find it before this one's response begins."""
        self._staged(lambda handle: handle.save())

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

    def sessions(self) -> list[dict[str, Any]]:
        """The sessions of the user who is logged in, the one that was used last first."""
        self.save()
        return self._asked(lambda handle: handle.sessions())

    def revoke(self, public_id: str) -> bool:
        """Ends one session of the user who is logged in; `False` if the user has no such session."""
        return self._staged(lambda handle: handle.revoke(public_id))

    def logout_others(self) -> int:
        """Ends all sessions of the user who is logged in but this one; returns how many they were."""
        self.save()
        return self._asked(lambda handle: handle.logout_others())

    def logout_everywhere(self) -> int:
        """Ends all sessions of the user who is logged in, this one too; returns how many others they were."""
        if self._user is not None:
            self.events.append(("logout", str(self._user)))
        return self._staged(lambda handle: handle.logout_everywhere())

    @property
    def public_id(self) -> str | None:
        """The name of the session that may be shown; `None` until it is first saved."""
        return self._handle.public_id

    # What follows is for the interface.

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
        if self._of_record is not None and content.get(self._user_key) == self._of_record:
            del content[self._user_key]
        return content

    def _ends_empty(self) -> bool:
        """Whether a session that is left empty has ended. One that held messages alone goes on, since others may come."""
        if self._cleared:
            return True
        before = json.loads(self._handle.json())
        return self._handle.user is None and list(before) not in ([], [_FLASHES])

    def _asked(self, ask: Callable[[Handle], Any]) -> Any:
        try:
            return ask(self._handle)
        except CoreError as error:
            reraise(error)

    def _staged(self, operate: Callable[[Handle], Any]) -> Any:
        """Does an operation on the native session, and takes its outcome over into the dict."""
        try:
            self._stage()
            self.modified = True
            result = operate(self._handle)
            changed = self._handle.refresh()
        except CoreError as error:
            reraise(error)
        for key, value in changed:
            if value is None:
                dict.pop(self, key, None)
            else:
                dict.__setitem__(self, key, self._json.loads(value))
        if self._of_record is not None:
            dict.pop(self, self._user_key, None)
        self._note_user()
        return result

    def _change(self, change: Callable[[Any], Any]) -> Callable[[bytes | None], bytes]:
        """A function of tagged JSON that may run in another thread, in a copy of the caller's context."""
        context = contextvars.copy_context()

        def changed(old: bytes | None) -> bytes:
            return self._json.dumps(change(None if old is None else self._json.loads(old)))

        return lambda old: context.copy().run(changed, old)

    def _commit(self) -> tuple[str | None, CoreError | None]:
        """Saves the session and closes it: the cookie's value to set, if any, and what was not saved."""
        self._stage(closing=True)
        return self._handle.commit()


class LazySession(StoredSession):
    """A session that no code has looked into yet. At the first look it is opened, and becomes a `StoredSession`.

    Flask opens a session for every route. So those that don't use it work while the store is down.
    """

    _engine: Engine
    _cookies: list[bytes]

    def __init__(self) -> None:
        # Python's own JSON writes an empty dict without calling any of its methods.
        super().__init__({"": None})

    def _open(self) -> None:
        try:
            handle = self._engine.open(self._cookies)
        except CoreError as error:
            reraise(error)
        # The class first: loading uses the dict.
        self.__class__ = StoredSession  # type: ignore[assignment]
        dict.clear(self)
        self._load(handle)


def _opening(name: str) -> Callable[..., Any]:
    """A method that opens the session first."""
    method = getattr(StoredSession, name)

    @functools.wraps(method)
    def opening(self: LazySession, *args: Any, **kwargs: Any) -> Any:
        if type(self) is LazySession:
            self._open()
        return method(self, *args, **kwargs)

    return opening


_LAZY = """__contains__ __delitem__ __eq__ __ge__ __getitem__ __gt__ __ior__ __iter__ __le__ __len__ __lt__ __ne__ __or__
__repr__ __reversed__ __ror__ __setitem__ __copy__ __deepcopy__ __reduce_ex__ clear copy get items keys pop popitem
setdefault update values update_now take_now save login logout rotate sessions revoke logout_others
logout_everywhere""".split()

for _name in _LAZY:
    if hasattr(StoredSession, _name):
        setattr(LazySession, _name, _opening(_name))
LazySession.__hash__ = None  # type: ignore[assignment]
LazySession.public_id = property(lambda self: (self._open(), self.public_id)[1])  # type: ignore[assignment,method-assign]


def _text(key: Any) -> str:
    """A key as JSON has it."""
    return key if isinstance(key, str) else next(iter(json.loads(json.dumps({key: None}))))
