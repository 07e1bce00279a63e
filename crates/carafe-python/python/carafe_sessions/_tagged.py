"""Flask's tagged JSON without Flask: what Flask's serializer writes and reads with its defaults."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from uuid import UUID

from ._core import tagged_dumps, tagged_loads


class TaggedJson:
    """Writes and reads values. The native part does what is usual, this class the rest."""

    def dumps(self, value: Any) -> bytes:
        """The JSON of a value. Raises `TypeError` for a type that a session can't hold."""
        written = tagged_dumps(value)
        if written is None:
            written = json.dumps(_tag(value), separators=(",", ":"), sort_keys=True).encode()
        return written

    def loads(self, json_: bytes) -> Any:
        """The value of JSON. Raises `ValueError` or `TypeError` for what is none."""
        value = tagged_loads(json_)
        return json.loads(json_, object_hook=_untag) if value is None else value


def _markup(text: str) -> Any:
    try:
        from markupsafe import Markup
    except ImportError:
        return text
    return Markup(text)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


def _dict(body: dict[str, Any]) -> dict[str, Any]:
    key = next(iter(body))
    return {key[:-2]: body[key]}


_READERS: dict[str, Callable[[Any], Any]] = {
    " di": _dict,
    " t": tuple,
    " b": b64decode,
    " m": _markup,
    " u": UUID,
    " d": _date,
}


def _untag(value: dict[str, Any]) -> Any:
    if len(value) != 1:
        return value
    [(key, body)] = value.items()
    return _READERS[key](body) if key in _READERS else value


def _tag(value: Any) -> Any:
    if isinstance(value, dict):
        tagged = {key: _tag(item) for key, item in value.items()}
        if len(tagged) == 1 and (key := next(iter(tagged))) in _READERS:
            return {" di": {f"{key}__": tagged[key]}}
        return tagged
    if isinstance(value, tuple):
        return {" t": [_tag(item) for item in value]}
    if isinstance(value, list):
        return [_tag(item) for item in value]
    if isinstance(value, bytes):
        return {" b": b64encode(value).decode("ascii")}
    if callable(html := getattr(value, "__html__", None)):
        return {" m": str(html())}
    if isinstance(value, UUID):
        return {" u": value.hex}
    if isinstance(value, datetime):
        utc = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        return {" d": format_datetime(utc, usegmt=True)}
    if isinstance(value, date):
        raise TypeError("a session can't hold a date: store a datetime")
    return value
