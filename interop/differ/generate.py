"""Random requests: operations, and the Cookie headers they come with."""

from __future__ import annotations

import random
from typing import Any

from .configurations import Configuration
from .forge import Forge
from .opened import open_cookies
from .values import Values
from .wire import Request

MALFORMED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"ops":1}',
    b'{"ops":[["get"]]}',
    b'{"ops":[["nothing"]]}',
    b'{"ops":[["get",1]]}',
]
MALFORMED += [
    b"\xff",
    b'{"ops":[[]]}',
    b'{"ops":[["set","a",{" u":"zz"}]]}',
    b'{"ops":["len"]}',
    b'{"ops":[["permanent",1]]}',
]
MALFORMED += [b'{"ops":[["status",600]]}', b'{"ops":[["status",101]]}', b'{"ops":[["sleep_ms",-1]]}']
MALFORMED += [b'{"ops":[["flashes",true,[1]]]}', b'{"ops":[["set","a",[1]],["set_nested",["a",9999999999999999999],1]]}']
MALFORMED += [b'{"ops":[["len"]]} x', b'{"ops":[["set","a",1],["len",1]]}', b'{"ops":[["update",[]]]}', b"{}", b'"ops"']

SIBLINGS = [
    b"a=b",
    b"other=1",
    b"a",
    b"=x",
    b"x=",
    b'q="a;b"',
    b'q="a\\"b"',
    b"a=b c",
    b"theme=dark",
    b"lang=d\xc3\xa9",
    b"$Version=1",
]
SIBLINGS += [b'open="x', b"t=1\t", b"a = b", b"", b"csrftoken=abc.def", b"a=b=c"]
NO_UTF8_SIBLINGS = [b"x=\xff", b"x=\xe9", b"\xc3=1", b"x=\xed\xa0\x80"]


class Generator:
    """Makes requests for one configuration."""

    def __init__(self, configuration: Configuration, now: int, rng: random.Random) -> None:
        self.rng = rng
        self.name = configuration.cookie_name.encode()
        self.values = Values(rng)
        self.forge = Forge(configuration, now, rng)
        self.configuration = configuration
        self.session: dict[str, Any] = {}

    def request(self, carried: bytes | None) -> Request:
        """A random request of a client whose jar holds `carried`."""
        roll = self.rng.random()
        cookies = self._cookie_lines(carried)
        reading = "HEAD" if self.rng.random() < 0.2 else "GET"
        if roll < 0.06:
            return Request(reading, "/plain", cookies=cookies)
        if roll < 0.12:
            return Request(reading, "/read", cookies=cookies)
        if roll < 0.13:
            return Request("GET", "/nowhere", cookies=cookies)
        if roll < 0.15:
            return Request("POST", "/op", body=self.rng.choice(MALFORMED), cookies=cookies)
        self.session = open_cookies(cookies, self.configuration, self.forge.now).session or {}
        method = "GET" if roll < 0.25 else "POST"
        ops = tuple(self.operation() for _ in range(self.rng.choice([0, 1, 1, 1, 2, 2, 3, 4, 6])))
        return Request(method, "/op", ops=ops, cookies=cookies)

    def operation(self) -> list[Any]:
        """A random operation, as tagged JSON."""
        rng, values = self.rng, self.values
        name = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        known = [key for key in self.session if isinstance(key, str)]
        key = rng.choice(known) if known and rng.random() < 0.3 else values.key()
        value = lambda: values.tagged(values.for_key(key))  # noqa: E731
        if name in ("get", "pop"):
            return [name, key] if rng.random() < 0.6 else [name, key, value()]
        if name in ("set", "setdefault"):
            return [name, key, value()]
        if name in ("item", "del", "contains", "incr"):
            return [name, key if name != "incr" or rng.random() < 0.3 else rng.choice(["n", "a", "count"])]
        if name == "update":
            return [name, values.tagged(values.session()) if rng.random() < 0.8 else {}]
        if name == "set_nested":
            return [name, self._path(key), values.tagged(values.value())]
        if name == "permanent":
            return rng.choice([[name], [name, True], [name, True], [name, False]])
        if name == "flash":
            message = values.tagged(values.message())
            return (
                [name, message]
                if rng.random() < 0.5
                else [name, message, rng.choice(["message", "error", "info", values.text()])]
            )
        if name == "flashes":
            filters = [[], ["error"], ["message", "info"], ["none"]]
            return rng.choice([[name], [name, True], [name, False], [name, rng.random() < 0.5, rng.choice(filters)]])
        if name == "status":
            return [name, rng.choice([200, 201, 302, 400, 404, 418, 500, 503])]
        return [name]

    def _path(self, key: str) -> list[str | int]:
        """A path for `set_nested`: mostly one that is there."""
        rng = self.rng
        steps: list[str | int] = [key]
        containers = [
            name for name, value in self.session.items() if isinstance(value, (dict, list)) and isinstance(name, str)
        ]
        if containers and rng.random() < 0.7:
            steps = [rng.choice(containers)]
        value = self.session.get(str(steps[0]))
        while isinstance(value, (dict, list)) and value and rng.random() < 0.8:
            step = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
            steps.append(step)
            value = value[step]
        return steps + rng.choice([[], [], ["a"], [self.values.key()], [rng.randrange(3)]])

    def _cookie_lines(self, carried: bytes | None) -> tuple[bytes, ...]:
        rng = self.rng
        roll = rng.random()
        if roll < 0.65:
            values = [] if carried is None else [carried]
        elif roll < 0.96:
            values = [self.forge.any_cookie()]
        else:
            values = [
                value for value in (carried, self.forge.any_cookie(), self.forge.any_cookie()) if value is not None
            ]
            rng.shuffle(values)
        parts = [self._spelled(value) for value in values]
        if rng.random() < 0.15:
            parts.insert(
                rng.randrange(len(parts) + 1),
                rng.choice(SIBLINGS + [self.name + b"2=x", b"x" + self.name + b"=y", self.name.swapcase() + b"=z"]),
            )
        if rng.random() < 0.01:
            parts.insert(rng.randrange(len(parts) + 1), rng.choice(NO_UTF8_SIBLINGS))
        if not parts:
            return ()
        if len(parts) > 1 and rng.random() < 0.3:
            cut = rng.randrange(1, len(parts))
            return (b"; ".join(parts[:cut]), b"; ".join(parts[cut:]))
        return (rng.choice([b"; ", b"; ", b";", b" ; "]).join(parts),)

    def _spelled(self, value: bytes) -> bytes:
        """One `name=value`, now and then quoted, octal-escaped, with spaces, or broken."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.93:
            return self.name + b"=" + value
        if roll < 0.95:
            return self.name + b'="' + value + b'"'
        if roll < 0.96:
            return self.name + b"=" + self.rng.choice([value + b" x", b'"' + value, value + b'"', b'x"' + value + b'"'])
        if roll < 0.975:
            return (
                self.name + b'="' + b"".join(b"\\%03o" % c if rng.random() < 0.1 else bytes([c]) for c in value) + b'"'
            )
        return self.name + rng.choice([b" = ", b"= ", b" =", b"=\t"]) + value + rng.choice([b"", b" "])


WEIGHTS = {
    "get": 8, "item": 5, "set": 16, "del": 4, "pop": 6, "setdefault": 5, "update": 5, "clear": 2, "contains": 3, "len": 2,
    "keys": 3, "items": 10, "set_nested": 6, "incr": 5, "permanent": 6, "flash": 6, "flashes": 6, "status": 2, "fail": 1,
}  # fmt: skip
