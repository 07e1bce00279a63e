"""Makes session cookies, good ones and all sorts of bad ones, with ItsDangerous itself."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
import zlib
from typing import Any

from itsdangerous import Signer
from itsdangerous.encoding import base64_encode, int_to_bytes

from . import sloppy_json
from .configurations import Configuration
from .values import ODD_TAGS, Values, tagged

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Forge:
    """Signs what it is told to, with the keys of one configuration."""

    def __init__(self, configuration: Configuration, now: int, rng: random.Random) -> None:
        self.configuration = configuration
        self.now = now
        self.rng = rng
        self.values = Values(rng)

    def sign(
        self,
        payload: bytes,
        stamp: bytes | int | None = None,
        secret: str | None = None,
        salt: str = "cookie-session",
        digest: Any = hashlib.sha1,
        derivation: str = "hmac",
    ) -> bytes:
        """`payload.T.S`; `stamp` is a second, or the text of T itself."""
        if stamp is None:
            stamp = self.now
        if isinstance(stamp, int):
            stamp = base64_encode(int_to_bytes(stamp))
        secret = self.configuration.secret if secret is None else secret
        return Signer(secret, salt=salt, key_derivation=derivation, digest_method=digest).sign(payload + b"." + stamp)

    def session(self, session: dict[str, Any] | None = None, **how: Any) -> bytes:
        """A cookie as Flask writes it."""
        text = tagged.dumps(self.values.session() if session is None else session)
        return self.sign(encode(text.encode()), **how)

    def any_cookie(self) -> bytes:
        """A cookie of a random kind."""
        kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
        return getattr(self, "_" + kind)()

    def _good(self) -> bytes:
        return self.session(stamp=self.now - self.rng.randrange(max(1, self.configuration.lifetime)))

    def _old_key(self) -> bytes:
        return self.session(secret=self.rng.choice(self.configuration.fallbacks or ["old"]))

    def _foreign(self) -> bytes:
        rng = self.rng
        return rng.choice(
            [
                lambda: self.session(secret="foreign"),
                lambda: self.session(secret=""),
                lambda: self.session(salt="itsdangerous"),
                lambda: self.session(salt="flask-session"),
                lambda: self.session(digest=rng.choice([hashlib.sha256, hashlib.sha512])),
                lambda: self.session(derivation=rng.choice(["none", "concat", "django-concat"])),
            ]
        )()

    def _aged(self) -> bytes:
        offset = self.rng.choice([-1000, -1, 0, 0, 1, 2, 1000])
        return self.session(stamp=max(0, self.now - self.configuration.lifetime - offset))

    def _future(self) -> bytes:
        return self.session(
            stamp=self.rng.choice([self.now + 1, self.now + 60, 2**32, 2**40, 253402300799, 2**63, 2**64 - 1])
        )

    def _odd_stamp(self) -> bytes:
        now = int_to_bytes(self.now)
        stamps = [
            b"",
            base64_encode(b"\0" + now),
            base64_encode(b"\0" * 4 + now),
            b"A",
            b"!",
            b"AQ",
            base64_encode(b"\1" * 9),
        ]
        stamps += [base64_encode(now)[:-1] + bytes([ALPHABET[(ALPHABET.index(base64_encode(now)[-1:]) + 1) % 64]])]
        return self.session(stamp=self.rng.choice(stamps))

    def _tampered(self) -> bytes:
        cookie = bytearray(self.session())
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            cookie[self.rng.randrange(len(cookie))] = self.rng.choice(ALPHABET + b".")
        return bytes(cookie)

    def _cut(self) -> bytes:
        cookie = self.session()
        cut = self.rng.randrange(len(cookie))
        return self.rng.choice([cookie[:cut], cookie[cut:], cookie + b".", b"." + cookie, cookie + cookie])

    def _unsigned(self) -> bytes:
        payload, stamp, _ = self.session().rsplit(b".", 2)
        return self.rng.choice([payload, payload + b"." + stamp, payload + b"." + stamp + b".", payload + b"..", b".."])

    def _malleable(self) -> bytes:
        head, signature = self.session().rsplit(b".", 1)
        last = ALPHABET.index(signature[-1:])
        spellings = [
            signature[:-1] + bytes([ALPHABET[last ^ self.rng.choice([1, 2, 3])]]),
            signature + b"=" * self.rng.randrange(1, 4),
            signature + b"=" + self.rng.choice([b"x", b"AAAA", b"!"]),
            signature + b"!!",
            signature[:5] + b"!!!!" + signature[5:],
            signature.replace(b"-", b"+").replace(b"_", b"/"),
        ]
        return head + b"." + self.rng.choice(spellings)

    def _junk(self) -> bytes:
        rng = self.rng
        characters = ALPHABET + b"....=+/!%~*'()"
        return bytes(rng.choice(characters) for _ in range(rng.choice([0, 1, 3, 30, 300])))

    def _sloppy(self) -> bytes:
        text = sloppy_json.dumps(tagged.tag(self.values.session()), self.rng)
        return self.sign(encode(text.encode("utf-8"), self.rng.random() < 0.2))

    def _odd_tags(self) -> bytes:
        session = {
            self.values.key(): self.rng.choice([tagged.tag(self.values.scalar()), self.rng.choice(ODD_TAGS)])
            for _ in "ab"
        }
        session[self.rng.choice("ab")] = self.rng.choice(ODD_TAGS)
        return self.sign(encode(sloppy_json.dumps(session, self.rng).encode()))

    def _whole_payload(self) -> bytes:
        return self.sign(encode(self.rng.choice(sloppy_json.WHOLE_PAYLOADS).encode()))

    def _bad_bytes(self) -> bytes:
        content = self.rng.choice(
            [b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}', b"\xff\xfe{", b'{"a":"\xe2\x98"}']
        )
        return self.sign(encode(content))

    def _deflated(self) -> bytes:
        rng = self.rng
        content = tagged.dumps(self.values.session()).encode()
        stream = rng.choice(
            [
                lambda: zlib.compress(content, rng.choice([0, 1, 9])),
                lambda: zlib.compress(content) + rng.choice([b"x", b"\0" * 9, zlib.compress(b"{}")]),
                lambda: zlib.compress(content)[: -rng.randrange(1, 5)],
                lambda: zlib.compress(content)[2:-4],
                lambda: gzip.compress(content, mtime=0),
                lambda: zlib.compress(content, wbits=9),
                lambda: content,
                lambda: b"",
                lambda: zlib.compress(b'{"a":"' + b"0" * rng.choice([1_000_000, 1_100_000]) + b'"}'),
            ]
        )()
        return self.sign(b"." + base64_encode(stream))

    def _odd_base64(self) -> bytes:
        payload = base64_encode(tagged.dumps(self.values.session()).encode())
        middle = len(payload) // 2
        return self.sign(self.rng.choice([
            payload[:middle] + b"!!!!" + payload[middle:],
            payload + b"=" * (-len(payload) % 4),
            payload + b"====",
            base64.b64encode(base64.urlsafe_b64decode(payload + b"==")),
            payload + b"A" * (4 - (len(payload) - 1) % 4),
            payload[:middle] + b"." + payload[middle:],
            b"a", b"abcde", b"!!!!", b"", b"." + payload + b".x",
        ]))  # fmt: skip


#: Each kind of forged cookie with its weight.
KINDS = {
    "good": 40, "old_key": 10, "foreign": 6, "aged": 8, "future": 3, "odd_stamp": 2, "tampered": 8, "cut": 3, "unsigned": 3,
    "malleable": 3, "junk": 3, "sloppy": 12, "odd_tags": 6, "whole_payload": 5, "bad_bytes": 1, "deflated": 5, "odd_base64": 3,
}  # fmt: skip


def encode(content: bytes, compress: bool | None = None) -> bytes:
    """The payload part for JSON bytes: compressed by Flask's rule unless told otherwise."""
    stream = zlib.compress(content)
    if compress is None:
        compress = len(stream) < len(content) - 1
    return b"." + base64_encode(stream) if compress else base64_encode(content)
