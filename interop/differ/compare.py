"""Compares two answers to one request."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode

from .configurations import Configuration
from .opened import Step, open_value
from .wire import Answer

#: The largest difference of another deflate implementation from zlib's size, in bytes; zlib-rs is seldom more than 4 off.
DEFLATE_SLACK = 8
#: The text of `disagreements` where only such an implementation makes the difference.
AT_BOUNDARY = "Set-Cookie: only one is compressed, right at the boundary"


@dataclass(frozen=True)
class SetCookie:
    """A Set-Cookie value in its parts."""

    name: bytes
    value: bytes
    attributes: bytes

    @property
    def size(self) -> int:
        """The size that browsers limit to 4096."""
        return len(self.name) + len(self.value)


def split(header: bytes) -> SetCookie:
    """Splits `name=value; attributes`."""
    pair, _, attributes = header.partition(b";")
    name, _, value = pair.partition(b"=")
    return SetCookie(name, value, attributes)


def payload_json(value: bytes) -> tuple[bytes, bool] | None:
    """The JSON bytes within a session cookie's value and whether they were compressed; None where it is no such cookie."""
    parts = value.rsplit(b".", 2)
    if len(parts) != 3:
        return None
    compressed = parts[0].startswith(b".")
    try:
        content = base64_decode(parts[0].removeprefix(b"."))
        return (zlib.decompress(content) if compressed else content), compressed
    except (BadData, zlib.error):
        return None


def disagreements(flask: Answer, carafe: Answer, configuration: Configuration, now: int) -> list[str]:
    """The differences, each in a few words. Error pages are not compared, only that both are of one status."""
    found = []
    if flask.status != carafe.status:
        found.append(f"status: Flask {flask.status}, Carafe {carafe.status}")
    if flask.vary != carafe.vary:
        found.append(f"Vary: Flask {flask.vary!r}, Carafe {carafe.vary!r}")
    if flask.status == carafe.status and flask.body != carafe.body and _is_comparable(flask):
        found.append("results: " + _body_difference(flask.body, carafe.body))
    if len(flask.set_cookie) != len(carafe.set_cookie):
        found.append(f"number of Set-Cookie: Flask {len(flask.set_cookie)}, Carafe {len(carafe.set_cookie)}")
    for ours, theirs in zip(flask.set_cookie, carafe.set_cookie):
        if ours != theirs:
            found += _cookie_differences(split(ours), split(theirs), configuration, now)
    return found


def is_at_boundary(content: bytes) -> bool:
    """Whether another deflate implementation might decide otherwise than zlib if these JSON bytes are worth compressing."""
    return abs(len(zlib.compress(content)) - (len(content) - 1)) <= DEFLATE_SLACK


def _is_comparable(flask: Answer) -> bool:
    return flask.status == 200 or flask.body.startswith(b'{"results"')


def _body_difference(flask: bytes, carafe: bytes) -> str:
    try:
        # Through repr, since NaN is no equal of itself.
        if repr(json.loads(flask)) == repr(json.loads(carafe)):
            return "the same values in another spelling"
    except ValueError:
        return "other text"
    return "other values"


def _cookie_differences(flask: SetCookie, carafe: SetCookie, configuration: Configuration, now: int) -> list[str]:
    found = []
    if flask.name != carafe.name:
        found.append("Set-Cookie: another name")
    if flask.attributes != carafe.attributes:
        found.append("Set-Cookie: other attributes")
    if flask.value == carafe.value:
        return found
    expected, actual = payload_json(flask.value), payload_json(carafe.value)
    if expected is None or actual is None:
        return [*found, "Set-Cookie: one of them holds no session"]
    if expected[0] != actual[0]:
        found.append("Set-Cookie: other payload bytes")
    elif expected[1] != actual[1]:
        found.append(AT_BOUNDARY if is_at_boundary(expected[0]) else "Set-Cookie: only one is compressed")
    elif not expected[1]:
        found.append("Set-Cookie: the same payload, signed otherwise")
    if flask.value.rsplit(b".", 2)[1] != carafe.value.rsplit(b".", 2)[1]:
        found.append("Set-Cookie: another time")
    if open_value(carafe.value.decode("latin-1"), configuration, now).step is not Step.LOADED and not found:
        found.append("Set-Cookie: Flask can't load Carafe's cookie")
    return found
