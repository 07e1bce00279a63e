"""Sessions for ASGI applications: Starlette, FastAPI, Quart and others.

    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from carafe_sessions.asgi import SessionMiddleware

    app = Starlette(middleware=[Middleware(SessionMiddleware, secret_key="...", store="redis://127.0.0.1:6379")])

The session is `request.session`, and `scope["session"]`. Cookies and stores are the same as in Flask applications with
`carafe_sessions.flask.SessionInterface`, and of Rust services.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from ._asgi_session import AsgiCookieSession, AsgiSession, FailedSession, settled
from ._core import CoreError, SealedCodec, SignedCodec
from ._engines import Engines
from ._keys import ring
from ._set_cookie import CookieAttributes, values
from ._tagged import TaggedJson
from .errors import SessionConflict, SessionEnded, SessionError, SessionUnavailable, translated

__all__ = ["AsgiSession", "SessionMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("carafe_sessions")
_json = TaggedJson()
#: The messages with which a response begins.
_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
_KEPT_HEADERS = (b"vary", b"set-cookie")


class SessionMiddleware:
    """Gives each request and WebSocket its session, and saves what changed when the response begins.

    What is changed later, such as while a body streams or a WebSocket is open, is saved by `await session.save()` as long
    as the response has not begun, and lost afterwards.
    """

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Awaitable[None]],
        secret_key: str | bytes,
        *,
        secret_key_fallbacks: Sequence[str | bytes] = (),
        store: str | None = None,
        sealed: bool = False,
        session_cookie: str = "session",
        lifetime: int = 31 * 86400,
        refresh_each_request: bool = True,
        path: str = "/",
        domain: str | None = None,
        same_site: str | None = "lax",
        https_only: bool = False,
        http_only: bool = True,
        partitioned: bool = False,
        user_key: str | None = "_user_id",
        **options: Any,
    ) -> None:
        """
        :param secret_key: signs or seals cookies, as Flask's `SECRET_KEY`.
        :param secret_key_fallbacks: older keys that are still accepted.
        :param store: the URL of a store; `None` keeps sessions in cookies.
        :param sealed: encrypts sessions in cookies; the key needs 32 bytes or more.
        :param lifetime: seconds after its last use at which a session ends.
        :param refresh_each_request: whether each response renews the cookie of a permanent session, as in Flask.
        :param user_key: the session's key that names the user; see `carafe_sessions.flask.SessionInterface`.
        :param options: `idle_timeout`, `absolute_timeout`, `renew_after`, `store_timeout`, `session_limit` and `strict`,
            as there.
        """
        if store is not None and sealed:
            raise ValueError("a session is either in a store or in a sealed cookie: give one of store and sealed")
        if store is None and options:
            raise ValueError(f"{', '.join(options)}: only sessions in a store have these settings")
        if not secret_key:
            raise ValueError("the secret key is empty: set it to something long and random")
        self.app = app
        self._attributes = CookieAttributes(session_cookie, domain, path, https_only, http_only, same_site, partitioned)
        self._keys = ring(secret_key, secret_key_fallbacks)
        self._lifetime = lifetime
        self._refresh = refresh_each_request
        self._user_key = user_key
        engine_options = dict.fromkeys(("renew_after", "store_timeout", "session_limit")) | {"strict": False} | options
        self._engines = None if store is None else Engines(store, engine_options)
        try:
            self._codec = self._made_codec(sealed)
        except CoreError as error:
            raise translated(error) from error

    def _made_codec(self, sealed: bool) -> SignedCodec | SealedCodec:
        if sealed:
            return SealedCodec(list(self._keys), self._attributes.name, self._lifetime)
        return SignedCodec(list(self._keys), b"cookie-session", "hmac", "sha1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request or a WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if self._engines is None:
            scope["session"] = self._opened_cookie(scope)
        else:
            scope["session"] = await self._opened_stored(scope, self._engines)
        exchange = _Exchange(self, scope, send)
        try:
            await self.app(scope, receive, exchange.send)
        except SessionError as error:
            if exchange.started or not isinstance(error, (SessionEnded, SessionConflict, SessionUnavailable)):
                raise
            await exchange.refuse(error, [])

    def _opened_cookie(self, scope: Scope) -> AsgiSession:
        session = AsgiCookieSession()
        value = values(scope["headers"], self._attributes.name)
        came_as = None if not value else self._verified(value)
        if came_as is not None:
            try:
                dict.update(session, _json.loads(came_as))
            except (ValueError, TypeError, LookupError, RecursionError) as error:
                _log.warning("a cookie has a good signature and can't be read: %s", type(error).__name__)
                came_as = None
        return self._prepared(session, scope, came_as)

    def _verified(self, value: str) -> bytes | None:
        if isinstance(self._codec, SealedCodec):
            return self._codec.loads(value, int(time.time()))
        return self._codec.loads(value, self._lifetime, int(time.time()))

    async def _opened_stored(self, scope: Scope, engines: Engines) -> AsgiSession:
        cookies = [line for name, line in scope["headers"] if name.lower() == b"cookie"]
        try:
            engine = engines.get(self._attributes.name, self._lifetime, self._keys)
            handle = await settled(lambda settle: engine.open(cookies, settle))
        except CoreError as error:
            failed = FailedSession()
            failed.failure = error
            return failed
        session = self._prepared(AsgiSession(), scope, None)
        session._load(handle)
        session.accessed = session.modified = False
        return session

    def _prepared(self, session: AsgiSession, scope: Scope, came_as: bytes | None) -> AsgiSession:
        session._json = _json
        session._user_key = self._user_key
        session._client = ((scope.get("client") or (None,))[0], _user_agent(scope))
        session._came_as = came_as  # type: ignore[attr-defined]
        session.accessed = session.modified = False
        return session

    async def _closed(self, session: AsgiSession) -> tuple[bytes | None, SessionError | None]:
        """Saves a session: the header to set, and what was not saved."""
        if isinstance(session, FailedSession):
            return None, None
        if isinstance(session, AsgiCookieSession):
            return self._signed(session), None
        try:
            cookie, failure = await session._commit()
        except CoreError as error:
            cookie, failure = None, error
        refused = None if failure is None else translated(failure)
        if cookie is None:
            return None, refused
        return self._attributes.set(cookie, self._expires(session)) if cookie else self._attributes.remove(), refused

    def _signed(self, session: AsgiCookieSession) -> bytes | None:
        """The header of a session in a cookie, if it changed or is to be renewed."""
        came_as: bytes | None = session._came_as  # type: ignore[attr-defined]
        accessed = session.accessed
        content = dict(session)
        session.accessed = accessed
        changed = session.modified
        now = _json.dumps(content)
        if not changed and accessed and came_as is not None and now != came_as:
            # Another service may write the same value in another spelling.
            changed = now != _json.dumps(_json.loads(came_as))
        if not content:
            return self._attributes.remove() if changed else None
        if not changed and not (content.get("_permanent") and self._refresh):
            return None
        return self._attributes.set(self._codec.dumps(now, int(time.time())), self._expires(session))

    def _expires(self, session: AsgiSession) -> float | None:
        return time.time() + self._lifetime if dict.get(session, "_permanent") else None


class _Exchange:
    """The outgoing messages of one request."""

    def __init__(self, middleware: SessionMiddleware, scope: Scope, send: Send) -> None:
        self._middleware = middleware
        self._scope = scope
        self._send = send
        self.started = False
        self._replaced = False

    async def send(self, message: Message) -> None:
        """Passes a message on; before the first one of a response, the session is saved."""
        if self._replaced:
            return
        if not self.started and message["type"] in _STARTS:
            session: AsgiSession = self._scope["session"]
            accessed = session.accessed
            header, error = await self._middleware._closed(session)
            headers = list(message.get("headers", ()))
            if accessed or header is not None:
                _vary(headers)
            if header is not None:
                headers.append((b"set-cookie", header))
            if error is not None:
                await self.refuse(error, headers)
                return
            self.started = True
            message["headers"] = headers
        await self._send(message)

    async def refuse(self, error: SessionError, headers: list[tuple[bytes, bytes]]) -> None:
        """Answers with an error, in the place of a response whose session wasn't saved."""
        _log.warning("a session was not saved: %s", error)
        status = getattr(error, "code", None)
        if status is None:
            raise error
        self.started = self._replaced = True
        if self._scope["type"] == "websocket":
            # Before it is accepted, this refuses it.
            await self._send({"type": "websocket.close", "code": 1011})
            return
        kept = [(name, value) for name, value in headers if name.lower() in _KEPT_HEADERS]
        _vary(kept)
        text = str(getattr(error, "description", "")).encode()
        length = (b"content-length", str(len(text)).encode())
        start = [(b"content-type", b"text/plain; charset=utf-8"), length, *kept]
        await self._send({"type": "http.response.start", "status": status, "headers": start})
        await self._send({"type": "http.response.body", "body": text})


def _vary(headers: list[tuple[bytes, bytes]]) -> None:
    """Adds `Cookie` to `Vary`."""
    lines = [value for name, value in headers if name.lower() == b"vary"]
    tokens = [token.strip().lower() for line in lines for token in line.split(b",")]
    if b"cookie" not in tokens:
        headers.append((b"vary", b"Cookie"))


def _user_agent(scope: Scope) -> str | None:
    agent = next((value for name, value in scope["headers"] if name.lower() == b"user-agent"), None)
    return None if agent is None else agent.decode("latin-1")
