"""The sessions of ASGI applications."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, NoReturn

from ._core import CoreError, Handle
from ._stored_dict import StoredDict
from .errors import NoStoreError, SessionUnavailable, reraise

_READING = """__contains__ __eq__ __getitem__ __iter__ __len__ __ne__ __or__ __repr__ __reversed__ __ror__ copy get items keys
values""".split()
_WRITING = "__delitem__ __ior__ __setitem__ clear pop popitem setdefault update".split()


class AsgiSession(StoredDict):
    """A session, in a cookie or in a store. Methods that ask a store are coroutines."""

    #: Whether the response depends on the session.
    accessed = False
    modified = False

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser's: the key `_permanent`, as in Flask."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    def clear(self) -> None:
        """Removes every key."""
        self.accessed = self.modified = self._cleared = True
        super().clear()

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """`dict.update`; or with a key and a function, changes the key by the function of its value, and returns it."""
        self.accessed = self.modified = True
        if len(args) == 2 and callable(args[1]) and not kwargs:
            return self._updated(*args)
        return super().update(*args, **kwargs)

    def _updated(self, key: str, change: Callable[[Any], Any]) -> Any:
        self._staged(lambda handle: handle.update(key, self._change(change)))
        return self[key]

    async def update_now(self, key: str, change: Callable[[Any], Any]) -> Any:
        """Changes a key like `update` with a function, saved at once: no other request gets the same value."""
        changed = self._change(change)
        written = await self._staged_async(lambda handle, settle: handle.update_now(key, changed, settle))
        return self._json.loads(written)

    async def take_now(self, key: str) -> Any:
        """Removes a key and returns its value, saved at once: of several requests only one gets it."""
        taken = await self._staged_async(lambda handle, settle: handle.take_now(key, settle))
        return None if taken is None else self._json.loads(taken)

    async def save(self) -> None:
        """Saves the session now, so that other requests find it before this one's response begins."""
        await self._staged_async(lambda handle, settle: handle.save(settle))

    async def sessions(self) -> list[dict[str, Any]]:
        """The sessions of the logged-in user, the one that was used last first."""
        await self.save()
        told: list[dict[str, Any]] = await self._staged_async(lambda handle, settle: handle.sessions(settle))
        return told

    async def revoke(self, public_id: str) -> bool:
        """Ends one session of the logged-in user; `False` if the user has no such session."""
        told: bool = await self._staged_async(lambda handle, settle: handle.revoke(public_id, settle))
        return told

    async def logout_others(self) -> int:
        """Ends all sessions of the logged-in user but this one; returns how many they were."""
        await self.save()
        told: int = await self._staged_async(lambda handle, settle: handle.logout_others(settle))
        return told

    async def logout_everywhere(self) -> int:
        """Ends all sessions of the logged-in user, this one too; returns how many others they were."""
        told: int = await self._staged_async(lambda handle, settle: handle.logout_everywhere(settle))
        return told

    # The methods below are for the middleware.

    async def _staged_async(self, operate: Callable[[Handle, Callable[[Any, Any], None]], Any]) -> Any:
        try:
            self._stage()
            self.modified = True
            result = await settled(lambda settle: operate(self._handle, settle))
            self._adopt()
        except CoreError as error:
            reraise(error)
        return result

    async def _commit(self) -> tuple[str | None, CoreError | None]:
        """Saves the session and closes it: the cookie's value to set, if any, and what was not saved."""
        self._stage(closing=True)
        committed: tuple[str | None, CoreError | None] = await settled(self._handle.commit)
        return committed


class AsgiCookieSession(AsgiSession):
    """A session in its cookie, with the methods of one in a store as far as a cookie can have them."""

    def _updated(self, key: str, change: Callable[[Any], Any]) -> Any:
        self[key] = new = change(self.get(key))
        return new

    async def update_now(self, key: str, change: Callable[[Any], Any]) -> Any:
        """Changes a key like `update` with a function. A cookie is saved with the response."""
        return self._updated(key, change)

    async def take_now(self, key: str) -> Any:
        """Removes a key and returns its value. A cookie is saved with the response."""
        return self.pop(key, None)

    async def save(self) -> None:
        """Does nothing: a cookie is saved with the response."""

    def login(self, user: Any, *, keep: Any = (), address: str | None = None, agent: str | None = None) -> None:
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

    async def _needs_store(self, *_args: Any) -> NoReturn:
        raise NoStoreError("sessions in cookies can't be listed or ended from elsewhere: give the middleware a store")

    sessions = revoke = logout_others = logout_everywhere = _needs_store  # type: ignore[assignment]


class FailedSession(AsgiSession):
    """A session whose store failed. Looking into it is an error; routes that don't are served."""

    failure: CoreError

    def _fail(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        reraise(self.failure)

    update_now = take_now = save = sessions = revoke = logout_others = logout_everywhere = _fail
    login = logout = rotate = _fail


def _noting(name: str, writes: bool) -> Callable[..., Any]:
    method = getattr(dict, name)

    @functools.wraps(method)
    def noting(self: AsgiSession, *args: Any, **kwargs: Any) -> Any:
        self.accessed = True
        if writes:
            self.modified = True
        return method(self, *args, **kwargs)

    return noting


for _name in _READING + _WRITING:
    if _name not in vars(AsgiSession):
        setattr(AsgiSession, _name, _noting(_name, _name in _WRITING))
    setattr(FailedSession, _name, FailedSession._fail)
AsgiSession.__hash__ = None


async def settled(begin: Callable[[Callable[[Any, Any], None]], Any]) -> Any:
    """Waits for a native operation without a thread: the runtime's own thread tells the event loop of its end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_finish, future, value, error)

    begin(settle)
    return await future


def _finish(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


__all__ = ["AsgiCookieSession", "AsgiSession", "FailedSession", "SessionUnavailable", "settled"]
