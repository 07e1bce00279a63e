"""Flask's sessions, in signed or sealed cookies, or in a store that Rust services share.

    from flask import Flask, session
    from carafe_sessions.flask import SessionInterface

    app = Flask(__name__)
    app.secret_key = "..."
    app.session_interface = SessionInterface(store="redis://127.0.0.1:6379")
"""

from __future__ import annotations

import logging
from functools import lru_cache
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from itsdangerous.encoding import want_bytes
from werkzeug.exceptions import HTTPException

from . import signals
from ._cookie_session import CookieSession
from ._core import CoreError
from ._engines import Engines
from ._flask_session import FlaskSessionRecords
from ._headers import has_plain_cookies, set_cookie, vary_with_cookie
from ._serializer import Json, SealedSerializer, SignedSerializer, signed_serializer
from ._stored_session import LazySession, StoredSession
from .errors import (
    NoStoreError,
    SessionClosedError,
    SessionConflict,
    SessionEnded,
    SessionError,
    SessionUnavailable,
    translated,
)

if TYPE_CHECKING:
    from flask import Request, Response

__all__ = [
    "CookieSession",
    "NoStoreError",
    "SessionClosedError",
    "SessionConflict",
    "SessionEnded",
    "SessionError",
    "SessionInterface",
    "SessionUnavailable",
    "StoredSession",
]

_log = logging.getLogger("carafe_sessions")

#: What a response that an error page replaces keeps.
_KEPT_HEADERS = ("vary", "set-cookie")


_SETTINGS = {name: getattr_static(Flask, name) for name in ("secret_key", "permanent_session_lifetime")}

#: The serializers with a native part.
_NATIVE = (SignedSerializer, SealedSerializer)


class SessionInterface(SecureCookieSessionInterface):
    """Flask's session interface on Carafe.

    Without a store, sessions are in Flask's own signed cookies, or sealed (encrypted) ones. With a store, the cookie
    holds a signed id, and the session is where the URL says: `memory:`, `sqlite:PATH`, `redis://...` or
    `postgres://...`. A Rust service with the same key and store shares the sessions.

    All of Flask's settings count, and so do the methods `get_cookie_name` and so on where a subclass replaces them,
    and the attributes `salt`, `digest_method`, `key_derivation` and `serializer`.
    """

    session_class = CookieSession

    def __init__(
        self,
        store: str | None = None,
        *,
        sealed: bool = False,
        user_key: str | None = "_user_id",
        idle_timeout: int | None = None,
        absolute_timeout: int | None = None,
        renew_after: int | None = None,
        store_timeout: float | None = None,
        session_limit: int | None = None,
        strict: bool = False,
        import_from: str | None = None,
        import_client: Any = None,
    ) -> None:
        """
        :param store: the URL of a store; `None` keeps sessions in cookies.
        :param sealed: encrypts sessions in cookies; the secret key needs 32 bytes or more.
        :param user_key: the session's key that names the user, Flask-Login's by default. With a store, setting it is
            a login, which gives the session a new id, and removing it a logout, which ends it.
        :param idle_timeout: seconds after its last use at which a session in a store ends; by default
            `PERMANENT_SESSION_LIFETIME`.
        :param absolute_timeout: seconds after which a session ends however much it is used; 31 days by default.
        :param renew_after: seconds after which a session gets a new id; a day by default, 0 for never.
        :param store_timeout: seconds that a call of the store may take; 2 by default.
        :param session_limit: how many bytes of JSON a session in a store may have; 65536 by default.
        :param strict: answers 409 where a request overwrites what it hadn't seen, instead of letting the later write
            stand.
        :param import_from: `"flask-session"` takes over the sessions that Flask-Session has in Redis, each when its user
            comes with the old cookie.
        :param import_client: the `redis.Redis` client with which Flask-Session's records are read.
        """
        if store is not None and sealed:
            raise ValueError("a session is either in a store or in a sealed cookie: give one of store and sealed")
        if import_from not in (None, "flask-session"):
            raise ValueError(f"import_from is {import_from!r}: sessions are taken over from 'flask-session' alone")
        if import_from is not None and (store is None or import_client is None):
            raise ValueError("sessions are taken over into a store: give the store, and the import_client to read them")
        self._import_client = import_client
        self.sealed = sealed
        self.user_key = user_key
        options = {
            "renew_after": renew_after,
            "store_timeout": store_timeout,
            "session_limit": session_limit,
            "strict": strict,
        }
        if idle_timeout is not None:
            options["idle_timeout"] = idle_timeout
        if absolute_timeout is not None:
            options["absolute_timeout"] = absolute_timeout
        self._engines = None if store is None else Engines(store, options)
        self._signed: tuple[Any, Any] = (None, None)

    def get_signing_serializer(self, app: Flask) -> Any:
        """What signs or seals cookies; `None` without a secret key."""
        config, kind = app.config, type(app)
        if _has_plain_settings(kind):  # type: ignore[arg-type]
            secret_key, lifetime = config["SECRET_KEY"], config["PERMANENT_SESSION_LIFETIME"]
        else:
            secret_key, lifetime = app.secret_key, _lifetime(app)
        if not secret_key:
            return None
        fallbacks = config.get("SECRET_KEY_FALLBACKS")
        # The serializer is kept alive by the one that was made of it, so that its id stays its own.
        made_of: tuple[Any, ...] = (
            secret_key,
            tuple(fallbacks) if fallbacks else (),
            lifetime,
            self.salt,
            self.key_derivation,
            self.digest_method,
            id(self.serializer),
            self.get_cookie_name(app) if self.sealed else None,
        )
        made_before, serializer = self._signed
        if made_before != made_of:
            serializer = self._serializer(app, tuple(want_bytes(key) for key in (*(fallbacks or ()), secret_key)))
            self._signed = (made_of, serializer)
        return serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of a request. One in a store is opened when it is first used."""
        if self._engines is not None:
            return self._open_stored(app, request, self._engines)
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        name = self.get_cookie_name(app)
        if type(serializer) in _NATIVE and self.session_class is CookieSession and has_plain_cookies(request):
            session = CookieSession.__new__(CookieSession)
            session._snapshot = serializer.open(session, request.environ.get("HTTP_COOKIE"), name)
            if session._snapshot is not None:
                session._user_key = self.user_key
                return session
        value = request.cookies.get(name)
        if not value:
            return self._opened()
        lifetime = _lifetime(app)
        try:
            json = serializer.verified_json(value, lifetime) if isinstance(serializer, _NATIVE) else None
            if json is None:
                return self._opened(serializer.loads(value, max_age=lifetime))
            content = serializer.tagged_json.loads(json)
            return self._opened(content, came_as=json if type(content) is dict else None)
        except BadSignature:
            return self._opened()

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """As Flask's, which takes longer to find that a session is not permanent."""
        if type(session) is CookieSession and not session.modified and "_permanent" not in session:
            return False
        return super().should_set_cookie(app, session)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Saves what changed, and tells the client of it."""
        # Whether an object is of an abstract class takes long to find out.
        if type(session) is not CookieSession and isinstance(session, StoredSession):
            self._save_stored(app, session, response)
            return
        if isinstance(session, CookieSession) and not session.modified:
            snapshot = session._snapshot
            if snapshot is None or not snapshot.is_untouched():
                before = session._came_as if snapshot is None else snapshot.json
                session.modified = before is not None and self._was_changed_within(app, session, before)
        if not self._write_quickly(app, session, response):
            super().save_session(app, session, response)

    def sessions_of(self, app: Flask, user: Any) -> list[dict[str, Any]]:
        """The sessions of any user, for administrators: the one that was used last first."""
        listed: list[dict[str, Any]] = self._users(app, lambda engine: engine.sessions_of(str(user)))
        return listed

    def logout_user(self, app: Flask, user: Any) -> int:
        """Ends all sessions of any user; returns how many they were."""
        ended: int = self._users(app, lambda engine: engine.logout(str(user)))
        return ended

    def _users(self, app: Flask, ask: Any) -> Any:
        keys = self._keys(app)
        if self._engines is None or keys is None:
            raise NoStoreError("only sessions in a store can be listed and ended: give the SessionInterface a store")
        try:
            return ask(self._engines.get(self.get_cookie_name(app), max(_lifetime(app), 1), keys))
        except CoreError as error:
            raise translated(error) from error

    def _keys(self, app: Flask) -> tuple[bytes, ...] | None:
        """The keys in ItsDangerous' order, in which the last one signs."""
        secret_key = app.secret_key
        if not secret_key:
            return None
        fallbacks = app.config.get("SECRET_KEY_FALLBACKS")
        if not fallbacks and type(secret_key) is str:
            return (secret_key.encode(),)
        return tuple(want_bytes(key) for key in (*(fallbacks or ()), secret_key))

    def _serializer(self, app: Flask, keys: tuple[bytes, ...]) -> Any:
        if self.sealed:
            return _sealed_serializer(keys, self.get_cookie_name(app), max(_lifetime(app), 1), self.serializer)
        options = (self.salt, self.key_derivation, self.digest_method, self.serializer)
        return signed_serializer(keys, _lifetime(app), *options)

    def _open_stored(self, app: Flask, request: Request, engines: Engines) -> SecureCookieSession | None:
        keys = self._keys(app)
        if keys is None:
            return None
        session = LazySession()
        session._engine = engines.get(self.get_cookie_name(app), max(_lifetime(app), 1), keys)
        session._cookies = [request.environ.get("HTTP_COOKIE", "").encode("latin-1")]
        session._json = Json(self.serializer)
        session._user_key = self.user_key
        session._client = (request.remote_addr, request.user_agent.string or None)
        if self._import_client is not None:
            session._cookie_name = name = self.get_cookie_name(app)
            records = FlaskSessionRecords(self._import_client, app.config.get("SESSION_KEY_PREFIX", "session:"))
            session._take_over = lambda session: records.take_over(app, request, name, session._created)
        return session

    def _opened(self, *content: Any, came_as: bytes | None = None) -> SecureCookieSession:
        session = self.session_class(*content)
        if isinstance(session, CookieSession):
            session._user_key = self.user_key
            session._came_as = came_as
        return session

    def _write_quickly(self, app: Flask, session: SessionMixin, response: Response) -> bool:
        """Does what Flask's `save_session` does, where a cookie without an expiry is to be set or none at all."""
        serializer = self._signed[1]
        if not session or type(serializer) not in _NATIVE:
            return False
        sets = self.should_set_cookie(app, session)
        if sets and self.get_expiration_time(app, session) is not None:
            return False
        if session.accessed or sets:
            vary_with_cookie(response)
        if sets:
            value = self._text(app, session)
            set_cookie(response, self.get_cookie_name(app), value, self._attributes(app))
        return True

    def _attributes(self, app: Flask) -> tuple[Any, ...]:
        """The cookie's attributes, by Flask's hooks."""
        return (
            self.get_cookie_domain(app),
            self.get_cookie_path(app),
            self.get_cookie_secure(app),
            self.get_cookie_httponly(app),
            self.get_cookie_samesite(app),
            # Flask 3.1 has it.
            self.get_cookie_partitioned(app) if hasattr(self, "get_cookie_partitioned") else False,
        )

    def _text(self, app: Flask, session: SessionMixin) -> str:
        serializer = self.get_signing_serializer(app)
        is_native = type(serializer) in _NATIVE and isinstance(session, CookieSession)
        text: str = serializer.dumps_session(session) if is_native else serializer.dumps(dict(session))
        return text

    def _was_changed_within(self, app: Flask, session: CookieSession, before: bytes) -> bool:
        """Whether a value was changed in place, which Flask itself doesn't notice."""
        json: Json = self.get_signing_serializer(app).tagged_json
        # What another service has written may be spelled otherwise.
        now = json.dumps(dict(session))
        return now != before and now != json.dumps(json.loads(before))

    def _save_stored(self, app: Flask, session: StoredSession, response: Response) -> None:
        if session.accessed:
            vary_with_cookie(response)
        if type(session) is LazySession:
            return
        try:
            cookie, failure = session._commit()
        except CoreError as error:
            cookie, failure = None, error
        self._write_cookie(app, session, response, cookie)
        if failure is None:
            self._tell(app, session)
        elif isinstance(failure, CoreError):
            self._refuse(app, session, response, translated(failure))
        else:
            raise failure

    def _write_cookie(self, app: Flask, session: StoredSession, response: Response, cookie: str | None) -> None:
        if cookie is None:
            return
        names = ("domain", "path", "secure", "httponly", "samesite", "partitioned")
        attributes: dict[str, Any] = dict(zip(names, self._attributes(app)))
        if not attributes["partitioned"]:
            del attributes["partitioned"]
        name = self.get_cookie_name(app)
        if cookie:
            response.set_cookie(name, cookie, expires=self.get_expiration_time(app, session), **attributes)
        else:
            response.delete_cookie(name, **attributes)
        response.vary.add("Cookie")

    def _tell(self, app: Flask, session: StoredSession) -> None:
        for event, user in session.events:
            signal = signals.session_logged_in if event == "login" else signals.session_logged_out
            signal.send(app, session=session, user=user)
            _log.debug("%s of a session", event)

    def _refuse(self, app: Flask, session: StoredSession, response: Response, error: SessionError) -> None:
        """Puts the page of an error in the place of a response whose session wasn't saved."""
        if not isinstance(error, HTTPException):
            raise error
        unavailable = isinstance(error, SessionUnavailable)
        _log.log(logging.ERROR if unavailable else logging.WARNING, "a session was not saved: %s", _reason(error))
        signal = signals.session_store_failed if unavailable else signals.session_refused
        signal.send(app, session=session, error=error)
        page = app.make_response(app.handle_http_exception(error))
        kept = [(name, value) for name, value in response.headers if _is_kept(name)]
        response.close()
        response.status = page.status
        response.headers.clear()
        response.headers.extend(page.headers)
        for name, value in kept:
            response.headers.add(name, value)
        response.direct_passthrough = False
        response.set_data(page.get_data())


def _reason(error: SessionError) -> str:
    """What the native part said of an error."""
    cause = error.__cause__
    return cause.args[1] if isinstance(cause, CoreError) else str(error)


def _is_kept(name: str) -> bool:
    return name.lower() in _KEPT_HEADERS or name.lower().startswith("access-control-")


def _sealed_serializer(*options: Any) -> SealedSerializer:
    try:
        return SealedSerializer(*options)
    except CoreError as error:
        raise translated(error) from error


@lru_cache(maxsize=16)
def _has_plain_settings(kind: type[Flask]) -> bool:
    """Whether such applications have their secret key and their sessions' lifetime where Flask has them."""
    return all(getattr_static(kind, name) is attribute for name, attribute in _SETTINGS.items())


def _lifetime(app: Flask) -> int:
    """`PERMANENT_SESSION_LIFETIME` in whole seconds."""
    return int(app.permanent_session_lifetime.total_seconds())
