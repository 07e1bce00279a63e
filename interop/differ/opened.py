"""Flask's reading of a Cookie header, step by step: the differences that are documented depend on the step that fails."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from typing import Any

from itsdangerous import BadData, BadSignature, SignatureExpired, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode
from werkzeug.sansio.http import parse_cookie

from .configurations import Configuration
from .values import tagged


class Step(Enum):
    """The step that a cookie reached."""

    NO_COOKIE = "no cookie of the session's name"
    REFUSED = "refused: signature, time or form"
    TIME_UNREADABLE = "good signature, but a time that Python can't represent"
    PAYLOAD_UNREADABLE = "good signature, but a payload that can't be read"
    LOADED = "loaded"


@dataclass(frozen=True)
class Opened:
    """The outcome, and what the payload's documented limits depend on."""

    step: Step
    session: dict[str, Any] | None = None
    canonical_signature: bool = True
    inflated: int = 0


def serializer(configuration: Configuration) -> URLSafeTimedSerializer:
    """The serializer that Flask builds from a configuration."""
    keys = [*configuration.fallbacks, configuration.secret]
    return URLSafeTimedSerializer(
        keys, salt="cookie-session", serializer=tagged, signer_kwargs={"key_derivation": "hmac"}
    )


def open_cookies(lines: tuple[bytes, ...], configuration: Configuration, now: int) -> Opened:
    """Opens a request's Cookie lines as Flask with `configuration` does at second `now`."""
    value = parse_cookie(";".join(line.decode("latin-1") for line in lines)).get(configuration.cookie_name)
    return Opened(Step.NO_COOKIE) if not value else open_value(value, configuration, now)


def open_value(value: str, configuration: Configuration, now: int) -> Opened:
    """Opens a session cookie's value."""
    timed = serializer(configuration)
    signer = next(iter(timed.iter_unsigners()))
    signer.get_timestamp = lambda: now  # type: ignore[method-assign]
    try:
        payload, _ = signer.unsign(value, max_age=configuration.lifetime, return_timestamp=True)
    except (BadSignature, SignatureExpired):
        return Opened(Step.REFUSED)
    except (ValueError, OverflowError, OSError):
        return Opened(Step.TIME_UNREADABLE)
    except UnicodeEncodeError:
        return Opened(Step.REFUSED)
    signature = value.rsplit(".", 1)[1]
    canonical = base64_encode(base64_decode(signature)).decode() == signature
    inflated = _inflated_size(payload)
    try:
        loaded = timed.load_payload(payload)
        session = {} if loaded is None else dict(loaded)
    except (BadData, TypeError, ValueError):
        return Opened(Step.PAYLOAD_UNREADABLE, canonical_signature=canonical, inflated=inflated)
    return Opened(Step.LOADED, session, canonical, inflated)


def _inflated_size(payload: bytes) -> int:
    if not payload.startswith(b"."):
        return 0
    try:
        return len(zlib.decompress(base64_decode(payload[1:])))
    except (zlib.error, BadData):
        return 0
