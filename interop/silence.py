"""What a server under test writes must show nothing secret: no key, cookie, id, token or value of the test's run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

#: The characters of cookies, ids, hashes, signatures and tokens.
_WORD = re.compile(rb"[\w-]+", re.ASCII)
#: As long as that, letters and digits together are no name. Names have hyphens.
_RANDOM = re.compile(rb"(?=\w*[0-9])(?=\w*[A-Za-z])\w{20,}", re.ASCII)
#: Shorter parts are words of the log, too.
_SHORTEST = 12

_seen: set[bytes] = set()


class Shown(AssertionError):
    """A server has written what is secret."""


def note(*texts: bytes) -> None:
    """Remembers cookies, tokens or values: from now on no server may write a part of them."""
    for text in texts:
        _seen.update(word for word in _WORD.findall(text) if len(word) >= _SHORTEST)


def note_cookies(*lines: bytes) -> None:
    """Remembers what is in `Cookie` lines, and in the first part of `Set-Cookie` lines."""
    note(*(pair.partition(b"=")[2] for line in lines for pair in line.split(b";")))


def note_values(values: Iterable[object]) -> None:
    """Remembers the texts in JSON values."""
    note(json.dumps(list(values), ensure_ascii=False).encode(errors="surrogatepass"))


def keys_of(environment: Mapping[str, str]) -> list[str]:
    """The secret keys among a server's settings."""
    values = [value for name, value in environment.items() if "SECRET_KEY" in name]
    return [key for value in values for key in (json.loads(value) if value.startswith("[") else [value]) if key]


def check(name: str, written: bytes, keys: Iterable[str]) -> None:
    """Raises `Shown` if what a server has written shows anything secret."""
    # Logs are long, and have few words.
    words = {found[0] for found in _WORD.finditer(written)}
    shown = {word.decode(errors="replace") for word in words if word in _seen or _RANDOM.search(word)}
    shown |= {key for key in keys if len(key) >= _SHORTEST and key.encode() in written}
    if shown:
        raise Shown(f"{name} has written to its log what is secret: {sorted(shown)[:5]}")
