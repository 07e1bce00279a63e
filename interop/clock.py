"""Fixes the clock that Flask's sessions are signed and judged by."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo

import flask.sessions
import flask_login.login_manager
from itsdangerous import TimestampSigner


def fix(now: int) -> None:
    """From here on ItsDangerous stamps and ages cookies at `now` (Unix seconds), and `Expires` counts from it."""

    class FixedDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(now, tz)

        @classmethod
        def utcnow(cls) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(now, timezone.utc).replace(tzinfo=None)

    TimestampSigner.get_timestamp = lambda self: now  # type: ignore[method-assign]
    flask.sessions.datetime = FixedDatetime  # type: ignore[misc]
    flask_login.login_manager.datetime = FixedDatetime
