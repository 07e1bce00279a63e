"""Fixes the clock that Flask's sessions are signed and judged by."""

from __future__ import annotations

from datetime import datetime, tzinfo

import flask.sessions
from itsdangerous import TimestampSigner


def fix(now: int) -> None:
    """From here on ItsDangerous stamps and ages cookies at `now` (Unix seconds), and Flask counts `Expires` from it."""

    class FixedDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(now, tz)

    TimestampSigner.get_timestamp = lambda self: now  # type: ignore[method-assign]
    flask.sessions.datetime = FixedDatetime  # type: ignore[misc]
