"""Every difference between Flask and Carafe that is meant, with its reason. Nothing else may differ.

A rule is narrow: it says when it applies, and what Carafe must answer then. Most say it through Flask itself ("as Flask
answers without the cookie").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from differ.compare import AT_BOUNDARY, split
from differ.exchange import Exchange
from differ.opened import Step
from differ.wire import Answer

#: Browsers drop a cookie whose name and value are longer together.
LARGEST_COOKIE = 4096
#: Carafe inflates no more than this unless told otherwise.
LARGEST_PAYLOAD = 1024 * 1024


@dataclass(frozen=True)
class Difference:
    """A documented difference."""

    name: str
    reason: str
    explains: Callable[[Exchange], bool]


def explanation(exchange: Exchange) -> Difference | None:
    """The rule that explains why the answers differ, if one does."""
    return next((rule for rule in RULES if rule.explains(exchange)), None)


def _answers_as(exchange: Exchange, expected: Answer) -> bool:
    """Whether Carafe answers like `expected`, Flask's answer to a client without a cookie, but for rules on writing."""
    fresh = replace(exchange, flask=expected, request=replace(exchange.request, cookies=()))
    return not fresh.disagreements or any(
        rule(fresh) for rule in (_deflate_boundary, _too_large_for_browsers, _malformed_flashes)
    )


def _unreadable_payload(exchange: Exchange) -> bool:
    if exchange.opened.step is not Step.PAYLOAD_UNREADABLE or exchange.flask.status != 500:
        return False
    return _as_if_cleared(exchange)


def _as_if_cleared(exchange: Exchange) -> bool:
    """An empty session, and the cookie is cleared; a route that never opens the session may leave the cookie alone."""
    fresh = exchange.flask_without_cookies()
    untouched = fresh.vary is None and _answers_as(exchange, fresh)
    return untouched or _answers_as(exchange, exchange.with_removal(fresh))


def _unreadable_time(exchange: Exchange) -> bool:
    return exchange.opened.step is Step.TIME_UNREADABLE and exchange.flask.status == 500 and _as_if_cleared(exchange)


def _malleable_signature(exchange: Exchange) -> bool:
    if exchange.opened.canonical_signature:
        return False
    return _answers_as(exchange, exchange.flask_without_cookies())


def _too_large_for_browsers(exchange: Exchange) -> bool:
    too_large = any(split(header).size > LARGEST_COOKIE for header in exchange.flask.set_cookie)
    return too_large and exchange.carafe.status == 500 and not exchange.carafe.set_cookie


def _inflate_cap(exchange: Exchange) -> bool:
    return exchange.opened.inflated > LARGEST_PAYLOAD and _as_if_cleared(exchange)


def _deflate_boundary(exchange: Exchange) -> bool:
    return exchange.disagreements == [AT_BOUNDARY]


def _malformed_flashes(exchange: Exchange) -> bool:
    names = [operation[0] for operation in exchange.operations]
    first = next((number for number, name in enumerate(names) if name in ("flash", "flashes")), None)
    if first is None or exchange.flask.status != exchange.carafe.status:
        return False
    seen = [exchange.session.get("_flashes", [])]
    for operation in exchange.operations:
        seen += _flashes_set_by(operation)
    until_then = [results[:first] for results in exchange.results]
    return not all(map(is_flashes, seen)) and repr(until_then[0]) == repr(until_then[1])


def _flashes_set_by(operation: list[Any]) -> list[Any]:
    """The values that an operation may leave in `_flashes`."""
    match operation:
        case ["set" | "setdefault", "_flashes", value]:
            return [value]
        case ["update", {"_flashes": value}]:
            return [value]
        case ["set_nested", ["_flashes", *_], _] | ["incr", "_flashes"]:
            return [None]
    return []


def is_flashes(value: Any) -> bool:
    """Whether this is what `flash` writes: a list of pairs, a category and a message."""
    return isinstance(value, list) and all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


RULES = [
    Difference(
        "unreadable-payload",
        "Behind a good signature, a payload that can't be read is a 500 in Flask on every request, since the cookie is"
        " never cleared. Carafe begins an empty session and clears the cookie.",
        _unreadable_payload,
    ),
    Difference(
        "unreadable-time",
        "A time beyond the year 9999 behind a good signature is more than Python's datetime can hold, and a 500 in Flask"
        " for ever. Carafe begins an empty session and clears the cookie.",
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
    Difference(
        "malformed-flashes",
        "Flask takes whatever stands in `_flashes` and may show letters of a text as messages, or fail halfway with the"
        " messages gone. For Carafe only a list of pairs of category and message is one; anything else is a type error.",
        _malformed_flashes,
    ),
]
