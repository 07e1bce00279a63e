"""Sessions of Flask-Session's, taken over from its Redis."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from itsdangerous import BadSignature, Signer

from .errors import SessionUnavailable

if TYPE_CHECKING:
    from flask import Flask, Request

_log = logging.getLogger("carafe_sessions")

#: The beginning of a pointer, which replaces a record that was taken over. It is neither msgpack nor JSON.
_POINTER = b"\xc1carafe:"
#: For how many seconds requests that were under way find the new session by the old cookie.
_POINTER_LIFE = 60
#: The time for which a request waits for another one that takes over the same record.
_PATIENCE = 2.0
_LONGEST_SID = 256


class FlaskSessionRecords:
    """The records of Flask-Session in Redis. Each is read once, and leaves a pointer to the new session."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def take_over(self, app: Flask, request: Request, cookie_name: str, create: Callable[[dict[str, Any]], str]) -> str | None:
        """The cookie of the session that was made of the request's old one; `None` if it has none.

        `create` stores a session and returns its cookie. Of several requests only one calls it.
        """
        sid = self._sid(app, request.cookies.get(cookie_name))
        if sid is None:
            return None
        from redis.exceptions import RedisError

        try:
            return self._found(self._prefix + sid, create)
        except RedisError as error:
            raise SessionUnavailable from error

    def _found(self, key: str, create: Callable[[dict[str, Any]], str]) -> str | None:
        deadline = time.monotonic() + _PATIENCE
        while (record := self._client.get(key)) is not None:
            if record.startswith(_POINTER):
                return str(record[len(_POINTER) :], "ascii")
            if self._client.set(key + ":carafe", b"", nx=True, px=int(_PATIENCE * 1000)):
                return self._taken(key, create)
            if time.monotonic() > deadline:
                raise SessionUnavailable
            time.sleep(0.02)
        return None

    def _taken(self, key: str, create: Callable[[dict[str, Any]], str]) -> str | None:
        # Another request may have been quicker since the first look.
        record = self._client.get(key)
        if record is None:
            return None
        if record.startswith(_POINTER):
            return str(record[len(_POINTER) :], "ascii")
        content = decoded(record)
        if content is None:
            _log.warning("a record of Flask-Session is neither msgpack nor JSON, and is left alone: pickle is never read")
            return None
        cookie = create(content)
        self._client.set(key, _POINTER + cookie.encode("ascii"), ex=_POINTER_LIFE)
        self._client.delete(key + ":carafe")
        return cookie

    def _sid(self, app: Flask, value: str | None) -> str | None:
        """The id in a cookie, if it is one of Flask-Session's."""
        if not value or len(value) > _LONGEST_SID:
            return None
        if not app.config.get("SESSION_USE_SIGNER", False):
            return value
        try:
            return str(Signer(app.secret_key or "", salt="flask-session", key_derivation="hmac").unsign(value), "utf-8")
        except (BadSignature, UnicodeDecodeError):
            return None


def decoded(record: bytes) -> dict[str, Any] | None:
    """The content of a record: msgpack or JSON. Pickle is never read."""
    try:
        import msgspec

        content = msgspec.msgpack.decode(record)
    except (ImportError, ValueError):
        try:
            content = json.loads(record)
        except ValueError:
            return None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return None
    flashes = content.get("_flashes")
    if isinstance(flashes, list):
        # Neither format has tuples.
        content["_flashes"] = [tuple(message) if isinstance(message, list) else message for message in flashes]
    return content
