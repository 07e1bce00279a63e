"""Flask's sessions that are in a store."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from flask.sessions import SecureCookieSession

from ._core import CoreError, Engine, Handle
from ._stored_dict import StoredDict
from .errors import reraise

_Result = TypeVar("_Result")


class StoredSession(StoredDict, SecureCookieSession):
    """Flask's session in a store. Extensions use it as they use Flask's own."""

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
        """Changes a key like `update` with a function, saved at once: no other request gets the same value."""
        return self._json.loads(self._staged(lambda handle: handle.update_now(key, self._change(change))))

    def take_now(self, key: str) -> Any:
        """Removes a key and returns its value, saved at once: of several requests only one gets it."""
        taken = self._staged(lambda handle: handle.take_now(key))
        return None if taken is None else self._json.loads(taken)

    def save(self) -> None:
        """Saves the session now, so that other requests find it before this one's response begins."""
        self._staged(lambda handle: handle.save())

    def sessions(self) -> list[dict[str, Any]]:
        """The sessions of the logged-in user, the one that was used last first."""
        self.save()
        return self._asked(lambda handle: handle.sessions())

    def revoke(self, public_id: str) -> bool:
        """Ends one session of the logged-in user; `False` if the user has no such session."""
        return self._staged(lambda handle: handle.revoke(public_id))

    def logout_others(self) -> int:
        """Ends all sessions of the logged-in user but this one; returns how many they were."""
        self.save()
        return self._asked(lambda handle: handle.logout_others())

    def logout_everywhere(self) -> int:
        """Ends all sessions of the logged-in user, this one too; returns how many others they were."""
        if self._user is not None:
            self.events.append(("logout", self._user))
        return self._staged(lambda handle: handle.logout_everywhere())

    # The methods below are for the interface.

    _cookie_name = "session"
    #: The cookie of a session that was taken over, which the client doesn't have yet.
    _new_cookie: str | None = None

    def _asked(self, ask: Callable[[Handle], _Result]) -> _Result:
        try:
            return ask(self._handle)
        except CoreError as error:
            reraise(error)

    def _commit(self) -> tuple[str | None, CoreError | None]:
        """Saves the session and closes it: the cookie's value to set, if any, and what was not saved."""
        self._stage(closing=True)
        cookie, failure = self._handle.commit()
        return self._new_cookie if cookie is None else cookie, failure


class LazySession(StoredSession):
    """A session that no code has looked into yet. At the first look it is opened, and becomes a `StoredSession`.

    Flask opens a session for every route. So those that don't use it work while the store is down.
    """

    _engine: Engine
    _cookies: list[bytes]
    #: Takes over a session that another library has stored: the new session's cookie, if there is one.
    _take_over: Callable[[LazySession], str | None] | None = None

    def __init__(self) -> None:
        # Python's own JSON writes an empty dict without calling any of its methods.
        super().__init__({"": None})

    def _open(self) -> None:
        try:
            handle = self._engine.open(self._cookies)
            if handle.public_id is None and self._take_over is not None:
                handle = self._taken_over(handle, self._take_over)
        except CoreError as error:
            reraise(error)
        # The class first: loading uses the dict.
        self.__class__ = StoredSession  # type: ignore[assignment]
        dict.clear(self)
        self._load(handle)

    def _taken_over(self, handle: Handle, take_over: Callable[[LazySession], str | None]) -> Handle:
        cookie = take_over(self)
        if cookie is None:
            return handle
        self._new_cookie = cookie
        return self._engine.open([f"{self._cookie_name}={cookie}".encode("latin-1")])

    def _created(self, content: dict[str, Any]) -> str:
        """Stores a session of this content, and returns its cookie."""
        handle = self._engine.open([])
        user = None if self._user_key is None else content.get(self._user_key)
        login = None if user is None else (str(user), None, None)
        handle.stage([(key, self._json.dumps(value)) for key, value in content.items()], False, False, login)
        cookie, failure = handle.commit()
        if failure is not None:
            raise failure
        return cookie or ""


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
LazySession.__hash__ = None
LazySession.public_id = property(lambda self: (self._open(), self.public_id)[1])  # type: ignore[assignment]

