"""Random requests around logins: clients with two cookies, agents and addresses, and what others forge."""

from __future__ import annotations

import hmac
import random
from dataclasses import dataclass, field
from hashlib import sha512
from typing import Any

from .compare import split
from .configurations import Configuration
from .forge import Forge, encode
from .values import tagged
from .wire import Answer, Request

AGENTS = [b"Mozilla/5.0 (X11)", b"Mozilla/5.0 (X11)", b"curl/8", b"", b"it's \"quoted\" \\ \xe9", b"it's", None]
FORWARDED = [None, None, None, None, b"203.0.113.7", b"203.0.113.7 , 10.1.1.1", b"", b" ,x"]
KEYS = ["_user_id", "_fresh", "_id", "_remember", "_remember_seconds", "next", "_permanent", "cart"]
IDS: list[Any] = ["42", "42", "42", "7", 42, "stranger", "0", "", "é|1", 'a,b;c "d"', "42 "]
VALUES: dict[str, list[Any]] = {
    "_user_id": ["42", "7", 42, -1, None, "stranger", "4|2", True],
    "_fresh": [True, False, None, 0, "yes"],
    "_id": ["", "0" * 128, None],
    "_remember": ["set", "clear", "other", None, True],
    "_remember_seconds": [60, 90.5, 0, -5, 0.25, 1e9, True, "x", None, 1e300],
    "next": ["/page"],
    "_permanent": [True, False],
    "cart": [["book"], {}],
}

#: The settings that both twins are started with, besides the session's.
CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True},
    {
        "REMEMBER_COOKIE_NAME": "keep.me",
        "REMEMBER_COOKIE_DURATION": 3600,
        "REMEMBER_COOKIE_DOMAIN": ".example.com",
        "REMEMBER_COOKIE_PATH": "/a b",
        "REMEMBER_COOKIE_SECURE": True,
        "REMEMBER_COOKIE_HTTPONLY": False,
        "REMEMBER_COOKIE_SAMESITE": "Strict",
        "SECRET_KEY": "schlüssel",
        "SESSION_REFRESH_EACH_REQUEST": False,
    },
    {
        "SECRET_KEY": "the new key",
        "SECRET_KEY_FALLBACKS": ["the old key"],
        "SESSION_COOKIE_NAME": "sid",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True,
        "REMEMBER_COOKIE_DURATION": 0,
    },
]


def configurations() -> list[tuple[str, Configuration]]:
    """Each mode of the session protection with each of the settings."""
    return [
        (mode, Configuration(f"{mode}-{number}", {"SECRET_KEY": "dev"} | settings))
        for number, settings in enumerate(CONFIGURATIONS)
        for mode in ("none", "basic", "strong")
    ]


@dataclass
class Client:
    """A browser: what it sends with each request, and the cookies that it keeps."""

    agent: bytes | None
    forwarded: bytes | None
    session: bytes | None = None
    remember: bytes | None = None
    #: Cookies of before, which an attacker may have copied.
    old: list[tuple[bytes | None, bytes | None]] = field(default_factory=list)


class Generator:
    """Makes the requests of some clients in one configuration."""

    def __init__(self, configuration: Configuration, now: int, rng: random.Random) -> None:
        self.rng = rng
        self.configuration = configuration
        self.forge = Forge(configuration, now, rng)
        self.remember_name = str(configuration.settings.get("REMEMBER_COOKIE_NAME", "remember_token")).encode()
        self.clients = [Client(rng.choice(AGENTS), rng.choice(FORWARDED)) for _ in range(4)]

    def request(self, client: Client) -> Request:
        """The next request of a client."""
        rng = self.rng
        if rng.random() < 0.05:
            client.agent = rng.choice(AGENTS)
        if rng.random() < 0.03:
            client.forwarded = rng.choice(FORWARDED)
        if rng.random() < 0.08:
            client.session = None  # the browser was closed and opened again
        if client.old and rng.random() < 0.04:
            client.session, client.remember = rng.choice(client.old)
        session, remember = client.session, client.remember
        if rng.random() < 0.08:
            session = self._forged_session()
        if rng.random() < 0.08:
            remember = self._forged_token()
        headers = [b"User-Agent: " + client.agent] if client.agent is not None else []
        headers += [b"X-Forwarded-For: " + client.forwarded] if client.forwarded is not None else []
        cookies = self._cookies(session, remember)
        roll = rng.random()
        common = {"cookies": cookies, "headers": tuple(headers)}
        if roll < 0.2:
            method = "HEAD" if rng.random() < 0.1 else "GET"
            pages = ["/fl_protected", "/fl_fresh", "/fl_protected", "/fl_fresh", "/plain", "/read", "/nowhere"]
            return Request(method, rng.choice(pages), **common)
        if roll < 0.22:
            return Request("POST", "/op", body=rng.choice([b"{", b'{"ops":[["fl_login"]]}', b'{"ops":[["fl_user",1]]}']), **common)
        ops = tuple(self.operation() for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 5])))
        return Request("GET" if roll < 0.27 else "POST", "/op", ops=ops, **common)

    def keep(self, client: Client, answer: Answer) -> None:
        """The parts of an answer that the client keeps."""
        client.old = [*client.old[-5:], (client.session, client.remember)]
        for cookie in map(split, answer.set_cookie):
            if cookie.name == self.configuration.cookie_name.encode():
                client.session = cookie.value or None
            elif cookie.name == self.remember_name:
                client.remember = cookie.value or None

    def operation(self) -> list[Any]:
        """A random operation."""
        rng = self.rng
        name = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if name == "fl_login":
            return [name, rng.choice(IDS), rng.random() < 0.5]
        key = rng.choice(KEYS)
        if name == "set":
            return [name, key, rng.choice(VALUES[key])]
        if name in ("get", "del", "contains"):
            return [name, key]
        if name == "pop":
            return [name, key, None]
        if name == "permanent":
            return [name, rng.random() < 0.5]
        if name == "status":
            return [name, rng.choice([200, 302, 404, 500])]
        return [name]

    def _forged_session(self) -> bytes:
        keys = self.rng.sample(KEYS, self.rng.randrange(len(KEYS)))
        session = {key: self.rng.choice(VALUES[key]) for key in keys}
        return self.forge.sign(encode(tagged.dumps(session).encode()))

    def _forged_token(self) -> bytes:
        """A remember cookie, well made or not."""
        rng = self.rng
        user = rng.choice(["42", "7", "stranger", "4|2", "é", "a b"])
        keys = [self.configuration.secret, self.configuration.secret, "another key", *self.configuration.fallbacks]
        mac = hmac.new(rng.choice(keys).encode("latin-1"), user.encode(), sha512).hexdigest()
        token = rng.choice([f"{user}|{mac}"] * 5 + [f"{user}|{mac.upper()}", f"{user}|{mac[:-1]}", user, "", "|", f"|{mac}"])
        text = token.encode()
        if not all(chr(byte).isalnum() and byte < 128 or byte in b"|" for byte in text):
            text = b'"' + b"".join(b"\\%03o" % byte if byte > 126 else bytes([byte]) for byte in text) + b'"'
        return text

    def _cookies(self, session: bytes | None, remember: bytes | None) -> tuple[bytes, ...]:
        rng = self.rng
        parts = []
        if session is not None:
            parts.append(self.configuration.cookie_name.encode() + b"=" + session)
        if remember is not None:
            parts.append(self.remember_name + b"=" + remember)
            if rng.random() < 0.03:
                parts.append(self.remember_name + b"=" + self._forged_token())
        rng.shuffle(parts)
        if not parts:
            return ()
        return tuple(parts) if rng.random() < 0.1 else (b"; ".join(parts),)


WEIGHTS = {
    "fl_login": 14, "fl_logout": 6, "fl_confirm": 7, "fl_user": 24, "set": 6, "get": 3, "del": 2, "pop": 2, "contains": 2,
    "items": 8, "permanent": 3, "clear": 1, "flash": 0, "status": 1, "fail": 1,
}  # fmt: skip
