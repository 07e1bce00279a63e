"""Every difference between Flask and Carafe that is meant, with its reason. Nothing else may differ.

A rule is narrow: it says when it applies, and what Carafe must answer then. Most say it through Flask itself ("as Flask
answers without the cookie").
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from differ.compare import payload_json, split
from differ.exchange import Exchange
from differ.opened import Step
from differ.wire import Answer

#: Browsers drop a cookie whose name and value are longer together.
LARGEST_COOKIE = 4096
#: Carafe inflates no more than this unless told otherwise.
LARGEST_PAYLOAD = 1024 * 1024
#: How far another deflate implementation may be from zlib's size, in bytes.
DEFLATE_SLACK = 24


@dataclass(frozen=True)
class Difference:
    """A documented difference."""

    name: str
    reason: str
    explains: Callable[[Exchange], bool]


def explanation(exchange: Exchange) -> Difference | None:
    """The rule that explains why the answers differ, if one does."""
    return next((rule for rule in RULES if rule.explains(exchange)), None)


def _unreadable_payload(exchange: Exchange) -> bool:
    if exchange.opened.step is not Step.PAYLOAD_UNREADABLE or exchange.flask.status != 500:
        return False
    return _as_if_cleared(exchange)


def _as_if_cleared(exchange: Exchange) -> bool:
    """An empty session, and the cookie is cleared; a route that never opens the session may leave the cookie alone."""
    fresh = exchange.flask_without_cookies()
    untouched = fresh.vary is None and exchange.carafe_answers_as(fresh)
    return untouched or exchange.carafe_answers_as(exchange.with_removal(fresh))


def _unreadable_time(exchange: Exchange) -> bool:
    return exchange.opened.step is Step.TIME_UNREADABLE and exchange.carafe_answers_as(exchange.flask_without_cookies())


def _malleable_signature(exchange: Exchange) -> bool:
    if exchange.opened.canonical_signature:
        return False
    return exchange.carafe_answers_as(exchange.flask_without_cookies())


def _too_large_for_browsers(exchange: Exchange) -> bool:
    too_large = any(split(header).size > LARGEST_COOKIE for header in exchange.flask.set_cookie)
    return too_large and exchange.carafe.status == 500 and not exchange.carafe.set_cookie


def _inflate_cap(exchange: Exchange) -> bool:
    return exchange.opened.inflated > LARGEST_PAYLOAD and _as_if_cleared(exchange)


def _deflate_boundary(exchange: Exchange) -> bool:
    if len(exchange.flask.set_cookie) != 1 or len(exchange.carafe.set_cookie) != 1:
        return False
    flask, carafe = split(exchange.flask.set_cookie[0]), split(exchange.carafe.set_cookie[0])
    expected, actual = payload_json(flask.value), payload_json(carafe.value)
    if expected is None or actual is None or expected[0] != actual[0] or expected[1] == actual[1]:
        return False
    content = expected[0]
    at_boundary = abs(len(zlib.compress(content)) - (len(content) - 1)) <= DEFLATE_SLACK
    same_cookie: Answer = replace(exchange.flask, set_cookie=exchange.carafe.set_cookie)
    return at_boundary and flask.attributes == carafe.attributes and exchange.carafe_answers_as(same_cookie)


RULES = [
    Difference(
        "unreadable-payload",
        "Behind a good signature, a payload that can't be read is a 500 in Flask on every request, since the cookie is"
        " never cleared. Carafe begins an empty session and clears the cookie.",
        _unreadable_payload,
    ),
    Difference(
        "unreadable-time",
        "A time in the far future that Python's datetime can't hold is a 500 in Flask. For Carafe it is a future time"
        " like any other: an empty session.",
        _unreadable_time,
    ),
    Difference(
        "malleable-signature",
        "Python's base64 accepts several spellings of one signature. Flask never writes the others, and Carafe refuses"
        " them: one session, one cookie text.",
        _malleable_signature,
    ),
    Difference(
        "too-large-for-browsers",
        "Browsers drop a cookie whose name and value exceed 4096 bytes without a word, and the change with it. Flask"
        " warns and sends it. Carafe answers 500 and leaves the old cookie.",
        _too_large_for_browsers,
    ),
    Difference(
        "inflate-cap",
        "Flask inflates a payload of any size. Carafe stops at 1 MiB and takes it for a payload that can't be read.",
        _inflate_cap,
    ),
    Difference(
        "deflate-boundary",
        "Flask compresses where that makes the payload shorter. Another deflate implementation may be some bytes"
        " shorter or longer than zlib, so that the rule falls the other way for a payload right at the boundary.",
        _deflate_boundary,
    ),
]
