"""Random session values of every type that Flask's session holds."""

from __future__ import annotations

import random
import struct
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from flask import Flask
from flask.json.tag import TaggedJSONSerializer
from markupsafe import Markup

_application = Flask(__name__)


class SessionSerializer(TaggedJSONSerializer):
    """Flask's serializer as it works within an application: without one, Flask sorts no keys."""

    __slots__ = ()

    def dumps(self, value: Any) -> str:
        """The tagged JSON text that Flask writes into a cookie."""
        return _application.json.dumps(self.tag(value), separators=(",", ":"))


tagged = SessionSerializer()

KEYS = ["a", "b", "c", "n", "username", "Z", "_permanent", "_flashes", "_user_id", ""]
ODD_KEYS = [
    " t",
    " di",
    " b",
    " m",
    " u",
    " d",
    " t__",
    " zz",
    " t ",
    "t",
    "é",
    "ß",
    "\uffff",
    "😀",
    "\ud800",
    "\udfff",
]
ODD_KEYS += ["\x7f", "\x00", "a\x00b", '"', "\\", "/", "~", "\u2028", "a" * 40, "é" * 40, "A", "aa", "permanent"]

#: UTF-8, UTF-16 and Python each have an order of their own for some of these.
SORTING_KEYS = ["Z", "a", "é", "\ud800", "\udfff", "\ue000", "\uffff", "😀", "\U0010ffff"]

INTEGERS = [
    0,
    1,
    -1,
    7,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63),
    -(2**63) - 1,
    2**64,
    10**18,
    10**30,
]
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 1e15, 1e16, 1e17, 123456789012345680.0, 1e-4, 1e-5, 9.999e-5, 1e22, 1e23, 5e-324]
FLOATS += [1.7976931348623157e308, 2.2250738585072014e-308, float("nan"), float("inf"), float("-inf"), 2.0**53, 1e100]
TEXTS = [
    "",
    "admin",
    "hi",
    "Zoë ☃ 😀",
    "<b>&\"'",
    "\x00\x01\x1f\x7f\x80\x9f",
    "\b\t\n\f\r",
    '\\/"',
    "\ud800",
    "\udc00x",
]
TEXTS += [
    "\ude00\ud83d",
    "\u2028\u2029\ufeff\uffff",
    "𐀀\U0010ffff",
    "null",
    "true",
    "0",
    " t",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]

#: Tags as Flask never writes them, but reads (or refuses) them.
ODD_TAGS: list[Any] = [
    {" t": "ab"}, {" t": {}}, {" t": {"x": 1}}, {" t": 1}, {" t": None}, {" m": None}, {" m": 1}, {" m": True}, {" m": "<i>"},
    {" u": "{12345678-1234-5678-1234-567812345678}"}, {" u": "urn:uuid:12345678123456781234567812345678"}, {" u": "zz"},
    {" u": "12345678-1234-5678-1234-56781234567A"}, {" u": 1}, {" b": ""}, {" b": "YQ"}, {" b": "YQ=="}, {" b": "YR=="},
    {" b": "Y!Q=="}, {" b": "\u00e9"}, {" b": "-_8="}, {" b": "AP8=AP8="}, {" b": None}, {" d": ""}, {" d": None}, {" d": "zz"},
    {" d": 5}, {" d": "Thu, 01 Jan 1970 00:00:00 +0200"}, {" d": "Thu, 01 Jan 1970 00:00:00 -0000"}, {" d": "1 Jan 70"},
    {" d": "Thu, 29 Feb 2024 12:34:56 GMT"}, {" d": "Fri, 31 Dec 9999 23:59:59 GMT"}, {" d": "Mon, 01 Jan 0001 00:00:00 GMT"},
    {" d": "Mon, 32 Jan 2024 00:00:00 GMT"}, {" d": "Thu, 29 Feb 2023 00:00:00 GMT"}, {" di": {}}, {" di": {"x": 1}},
    {" di": {" t__": 1}}, {" di": {"abc": 1, "d": 2}}, {" di": {"a": 1}}, {" di": None}, {" di": [1]}, {" zz": 1}, {" T": [1]},
    {"t": [1]}, {" t": [1], "x": 2},
]  # fmt: skip

_MARKS = [timezone.utc, timezone(timedelta(hours=5, minutes=30)), None]


class Values:
    """A source of random values."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def key(self) -> str:
        """A session key: mostly one of a few, so that operations meet."""
        roll = self.rng.random()
        if roll < 0.8:
            return self.rng.choice(KEYS)
        return self.rng.choice(ODD_KEYS) if roll < 0.97 else self.text()

    def text(self) -> str:
        """Text of any kind."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.5:
            return rng.choice(TEXTS)
        length = int(rng.expovariate(1 / 12))
        if roll < 0.75:
            return "".join(chr(rng.randrange(32, 127)) for _ in range(length))
        limit = rng.choice([0x100, 0x3000, 0x10000, 0x110000])
        return "".join(chr(rng.randrange(limit)) for _ in range(length))

    def integer(self) -> int:
        """An integer of any size."""
        if self.rng.random() < 0.6:
            return self.rng.choice(INTEGERS)
        return self.rng.choice((1, -1)) * self.rng.getrandbits(self.rng.choice([8, 32, 63, 64, 65, 128, 700]))

    def float(self) -> float:
        """A float: a telling one, any bits at all, or a short decimal."""
        roll = self.rng.random()
        if roll < 0.5:
            return self.rng.choice(FLOATS)
        if roll < 0.75:
            return float(struct.unpack(">d", self.rng.randbytes(8))[0])
        return self.rng.randrange(-(10**6), 10**6) * 10.0 ** self.rng.randrange(-12, 20)

    def moment(self) -> datetime:
        """A datetime between the years 1 and 9999, in whole seconds."""
        rng = self.rng
        year = rng.choice([1970, 2000, 2024, 2024, 1, 68, 69, 99, 100, 999, 1000, 9999, rng.randrange(1, 10000)])
        moment = datetime(year, rng.randrange(1, 13), rng.randrange(1, 29), rng.randrange(24), rng.randrange(60))
        return moment if year in (1, 9999) else moment.replace(tzinfo=rng.choice(_MARKS), second=rng.randrange(60))

    def scalar(self) -> Any:
        """Anything that holds nothing else."""
        rng = self.rng
        kind = rng.randrange(12)
        if kind < 4:
            return self.text()
        if kind < 6:
            return self.integer()
        if kind < 7:
            return self.float()
        if kind < 8:
            return rng.choice([None, True, False])
        if kind < 9:
            return rng.randbytes(rng.choice([0, 1, 2, 3, 5, 30]))
        if kind < 10:
            return Markup(self.text())
        return uuid.UUID(int=rng.getrandbits(128)) if kind < 11 else self.moment()

    def value(self, depth: int = 3) -> Any:
        """A value of any type, nested up to `depth`."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.6:
            return self.scalar()
        kind = rng.randrange(4)
        length = rng.choice([0, 1, 1, 2, 3, 5])
        if kind == 0:
            return [self.value(depth - 1) for _ in range(length)]
        if kind == 1:
            return tuple(self.value(depth - 1) for _ in range(length))
        return {self.key(): self.value(depth - 1) for _ in range(length)}

    def big_value(self) -> Any:
        """A value that makes the cookie compress, or too large, or deeply nested."""
        rng = self.rng
        kind = rng.randrange(5)
        if kind == 0:
            return rng.choice(["a", "ab", "lorem ipsum ", "é"]) * rng.randrange(1, 300)
        if kind == 1:
            return rng.randbytes(rng.randrange(100, 3500))
        if kind == 2:
            return "".join(rng.choice("abcd") for _ in range(rng.randrange(10, 60)))
        if kind == 3:
            return [rng.randrange(100) for _ in range(rng.randrange(5, 200))]
        nested: Any = self.scalar()
        for _ in range(rng.randrange(5, 100)):
            nested = rng.choice([[nested], (nested,), {"a": nested}, {" t": nested}])
        return nested

    def permanent(self) -> Any:
        """A value for `_permanent`: mostly a bool."""
        return self.rng.choice(
            [True, True, True, False, 1, 0, None, "", "no", 0.0, float("nan"), [], (), {}, b"", Markup("")]
        )

    def flashes(self) -> Any:
        """A value for `_flashes`: Flask's layout, or nearly so."""
        rng = self.rng
        messages = [(rng.choice(["message", "error", "info"]), self.message()) for _ in range(rng.randrange(4))]
        roll = rng.random()
        if roll < 0.85:
            return messages
        return [list(pair) for pair in messages] if roll < 0.95 else []

    def message(self) -> Any:
        """A flashed message: text, or Markup as apps flash links."""
        text = self.text()
        return Markup(text) if self.rng.random() < 0.2 else text

    def for_key(self, key: str) -> Any:
        """A value that suits `key`."""
        rng = self.rng
        if key == "_permanent":
            return self.permanent()
        if key == "_flashes":
            return self.flashes()
        if key == "n" and rng.random() < 0.7:
            return self.integer()
        if key == "username" and rng.random() < 0.7:
            return self.text()
        return self.big_value() if rng.random() < 0.04 else self.value()

    def session(self) -> dict[str, Any]:
        """A whole session."""
        keys = [self.key() for _ in range(self.rng.choice([0, 1, 1, 2, 2, 3, 5, 9]))]
        if self.rng.random() < 0.05:
            keys += self.rng.sample(SORTING_KEYS, 4)
        return {key: self.for_key(key) for key in keys}

    def tagged(self, value: Any) -> Any:
        """A value as it is written into a request; now and then an odd tag instead of it."""
        if self.rng.random() < 0.02:
            return self.rng.choice(ODD_TAGS)
        return tagged.tag(value)
