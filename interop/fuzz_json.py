"""The corpus of the fuzz target `tagged_json`, and mutations of it, read by real Flask and by Carafe.

    CARAFE_EXCHANGE=target/debug/examples/exchange python interop/fuzz_json.py --count 20000 --seed 1

Both must accept the same bytes behind a good signature, and write the same again. What Carafe refuses on purpose, or reads
in another way, is in `EXCEPTIONS`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from itsdangerous import BadData

from differ import sloppy_json
from differ.forge import encode
from differ.values import tagged
from exchange import LIFETIME, NOW, Scheme, Tool

CORPUS = Path(__file__).parent.parent / "fuzz/corpus/tagged_json.hex"
VECTORS = Path(__file__).parent.parent / "crates/carafe-format/tests/vectors/flask.jsonl"
SCHEME = Scheme([b"dev"], b"cookie-session", "sha1", "hmac")
#: Inputs that are under way at once.
BATCH = 1000
#: Nesting that Carafe writes: what Flask reads beyond it depends on the server that it runs under.
DEEP = 400

#: The pieces that mutations put in: of the format, and of near misses.
PIECES = [
    *(b'{ } [ ] , : " \\ / 0 1 -1 1.5 -0 1e5 1E400 -0.0 NaN Infinity -Infinity null true false \\n \\u0041'.split()),
    *(b'"\\ud800" "\\udc00" "\\ud83d\\ude00" "" "a" {} [] {"a":1} "\\"" \\u000 \\x41 \t \x00 \x7f'.split(b" ")),
    *(f'{{"{tag}":'.encode() for tag in (" t", " b", " m", " u", " d", " di", " t__", " di__")),
    *(b'" t" " b" " m" " u" " d" " di" " t__" "AP8=" "AP8" "A===" "!!!!"'.split()),
    b"00000000-0000-0000-0000-000000000000",
    b'"{12345678123456781234567812345678}"',
    b'"Thu, 29 Feb 2024 12:34:56 GMT"',
    b'"29 Feb 24 12:34 +0130"',
    b"\xc3\xa9",
    b"\xf0\x9f\x98\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"9" * 40,
]


def mutated(rng: random.Random, corpus: list[bytes]) -> bytes:
    """An input of the corpus with a few changes."""
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.choice([1, 1, 2, 3, 6])):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice([0, 1, 1, 2, 8]))
        match rng.randrange(6):
            case 0:
                data[at:end] = rng.choice(PIECES)
            case 1:
                data[at:at] = rng.choice(PIECES)
            case 2:
                del data[at:end]
            case 3 if data:
                data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
            case 4:
                other = rng.choice(corpus)
                start = rng.randrange(len(other) + 1)
                data[at:end] = other[start : start + rng.randrange(1, 40)]
            case _:
                data[at:at] = data[at:end] * rng.randrange(1, 4)
    return bytes(data)


#: Bodies that tags have, and some that they shouldn't.
BODIES: list[Any] = [
    None, True, 0, 1.5, "", "a", "ab", "AP8=", "AP8", "A===", "AA=A", "\u00e9", "\u0661", [], [1], {}, {"a": 1}, {" t": [1]},
    "00000000000000000000000000000000", "{12345678-1234-5678-1234-567812345678}", "urn:uuid:" + "A" * 32, "0" * 31, "0" * 33,
    "\u0661" * 32, "0x" + "1" * 30, " " * 32, "1_" * 16, "+" + "1" * 31, "Thu, 29 Feb 2024 12:34:56 GMT", "29 Feb 24 12:34",
    "Sat, 31 Dec 9999 23:59:59 -0100", "Mon, 01 Jan 0001 00:00:00 +0100", "29 Feb 2023 00:00", "1 Jan 70", "Jan 1 2000 1:2:3",
    "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "6 Nov 1994 8:49:37 EST", "6 Nov 1994 24:00:00 GMT",
    "6 nov 1994 8:49:60 +2460", "\u0661 Jan 2000 00:00", "6 Nov 1994 8.49", "6-Nov-1994", "now", "\ud800", "\U0001f600",
]  # fmt: skip
TAGS = [" t", " b", " m", " u", " d", " di", " t__", " di__", " x", "a"]


def rebuilt(rng: random.Random, corpus: list[bytes]) -> bytes:
    """An input of the corpus with one value replaced by another, now and then a tagged one, in any spelling."""

    def other() -> Any:
        if rng.random() < 0.6:
            return {rng.choice(TAGS): rng.choice(BODIES)}
        return rng.choice(BODIES)

    value = json.loads(rng.choice(corpus))
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        if isinstance(container, (dict, list)):
            keys = list(container) if isinstance(container, dict) else range(len(container))
            places += [(container, key) for key in keys]
            waiting += [container[key] for key in keys]
    if places:
        container, key = rng.choice(places)
        container[key] = other()
    else:
        value = {"a": other()}
    return sloppy_json.dumps(value, rng).encode()


def is_json(data: bytes) -> bool:
    """Whether Python's parser reads it."""
    try:
        json.loads(data.decode())
    except (ValueError, RecursionError):
        return False
    return True


def inputs(rng: random.Random, count: int) -> Iterator[bytes]:
    """The corpus, what other parts of these tests know of, and mutations of both."""
    corpus = [bytes.fromhex(line.split()[0]) for line in CORPUS.read_text().splitlines() if line]
    corpus += [text.encode() for text in sloppy_json.WHOLE_PAYLOADS]
    corpus += [json.loads(line)["tagged_json"].encode() for line in VECTORS.read_text().splitlines()]
    yield from corpus
    small = [data for data in corpus if len(data) < 2000]
    good = [data for data in small if is_json(data)]
    for number in range(count):
        yield mutated(rng, small) if number % 2 else rebuilt(rng, good)


def read_by_flask(cookie: str) -> bytes | None:
    """The value that Flask loads, as it would write it; nothing if it can't be read."""
    try:
        return tagged.dumps(SCHEME.serializer(NOW).loads(cookie, max_age=LIFETIME)).encode()
    except (BadData, ValueError, OverflowError, RecursionError):
        return None


def tags(data: bytes) -> Iterator[tuple[str, Any]]:
    """Every dict of one key in the JSON, whether or not the key is a tag."""
    waiting = [json.loads(data)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if len(value) == 1:
                yield next(iter(value.items()))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def has_tag(data: bytes, name: str, is_wanted: Callable[[Any], bool]) -> bool:
    """Whether a tag of this name has such a body."""
    return any(tag == name and is_wanted(body) for tag, body in tags(data))


def _beyond_ascii(body: Any) -> bool:
    if isinstance(body, dict) and list(body) == [" m"]:
        body = body[" m"]  # Markup is text
    return isinstance(body, str) and not body.isascii()


def _has_offset(body: Any) -> bool:
    return isinstance(body, str) and re.search(r"[+-]\d|[A-Za-z]{1,3}\s*$", body) is not None


def depth(data: bytes) -> int:
    """The number of brackets that are open at once, at most; those in texts count, too."""
    deepest = level = 0
    for byte in data:
        level += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, level)
    return deepest


#: What Carafe reads otherwise than Flask, as `value/json/mod.rs` says: Flask itself writes none of it. Each says what
#: Carafe may answer: a refusal, or another value.
EXCEPTIONS: list[tuple[str, Callable[[bytes, bool], bool]]] = [
    ("markup of something else than text", lambda data, ok: not ok and has_tag(data, " m", lambda b: not isinstance(b, str))),
    ("digits beyond ASCII in a UUID", lambda data, ok: not ok and has_tag(data, " u", _beyond_ascii)),
    ("digits beyond ASCII in a date", lambda data, ok: ok and has_tag(data, " d", _beyond_ascii)),
    ("a date with an offset out of Python's years", lambda data, ok: not ok and has_tag(data, " d", _has_offset)),
    ("deep nesting", lambda data, _: depth(data) > DEEP),
]  # fmt: skip


def exception(data: bytes, ok: bool) -> str | None:
    """The name of the documented difference, if it is one."""
    for name, applies in EXCEPTIONS:
        try:
            if applies(data, ok):
                return name
        except (ValueError, RecursionError):
            continue
    return None


def compare(data: bytes, flask: bytes | None, answer: dict[str, Any]) -> str | None:
    """The fault of Carafe's answer."""
    if answer["ok"] == (flask is not None) and (flask is None or answer["tagged_json_hex"] == flask.hex()):
        return None
    if flask is None:
        return "Carafe reads it, Flask doesn't"
    if not answer["ok"]:
        return f"Flask loads {flask!r}"
    return f"Flask loads {flask!r}, Carafe {bytes.fromhex(answer['tagged_json_hex'])!r}"


def main() -> int:
    """Compares; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="mutations")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--tool", default=os.environ.get("CARAFE_EXCHANGE", ""), metavar="COMMAND")
    arguments = parser.parse_args()
    if not arguments.tool:
        parser.error("name the tool: $CARAFE_EXCHANGE or --tool")
    tool = Tool(shlex.split(arguments.tool))
    signer = next(iter(SCHEME.serializer(NOW).iter_unsigners()))
    started = time.monotonic()
    seen: Counter[str] = Counter()
    mismatches = 0
    waiting = list(inputs(random.Random(arguments.seed), arguments.count))
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        cookies = [signer.sign(encode(data, False)).decode() for data in batch]
        line = {"op": "verify", **SCHEME.to_json(), "max_age": LIFETIME, "now": NOW}
        lines = [json.dumps(line | {"cookie": cookie}).encode() + b"\n" for cookie in cookies]
        for data, cookie, answer in zip(batch, cookies, tool.ask(lines)):
            flask = read_by_flask(cookie)
            read = json.loads(answer)
            if not (wrong := compare(data, flask, read)):
                seen["read by both" if read["ok"] else "refused by both"] += 1
            elif meant := exception(data, read["ok"]):
                seen[meant] += 1
            else:
                mismatches += 1
                if mismatches <= 10:
                    print(f"MISMATCH: {data!r}\n  {wrong}")
    if tool.close() != 0:
        print("MISMATCH: the tool ended with an error")
        mismatches += 1
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(seen.items()))
    print(f"{len(waiting)} inputs, {mismatches} mismatches ({listed}; {time.monotonic() - started:.0f} s)")
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
