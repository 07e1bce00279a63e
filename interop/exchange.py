"""Random sessions both ways between real Flask's serializer and Carafe's, with every digest, derivation, salt and key.

    CARAFE_EXCHANGE=target/release/examples/exchange python interop/exchange.py --count 100000 --seed 1

The tool reads JSON lines and answers each with one line, in order:

    {"op": "verify", "secrets_hex": [oldest first, the last one signs], "salt_hex", "digest", "key_derivation",
     "max_age": seconds or null, "now": Unix seconds, "cookie"}
        -> {"ok": true, "tagged_json_hex": bytes as Flask's serializer dumps what was loaded} or {"ok": false, "kind"}
    {"op": "sign", "secrets_hex", "salt_hex", "digest", "key_derivation", "now", "tagged_json_hex", "compress": bool}
        -> {"ok": true, "cookie"}

`digest` is sha1, sha256, sha384 or sha512; `key_derivation` is hmac, concat, django-concat or none. With "compress": true
Flask's rule decides, with false nothing is compressed. The JSON to sign is now and then not in Flask's spelling: it is read
and written anew. Kinds are not compared: `differential.py` looks at what a refusal leads to.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from differ import sloppy_json
from differ.compare import is_at_boundary, payload_json
from differ.forge import ALPHABET, encode
from differ.values import Values, tagged

DIGESTS = ["sha1", "sha256", "sha384", "sha512"]
DERIVATIONS = ["hmac", "concat", "django-concat", "none"]
SALTS = [b"cookie-session", b"cookie-session", b"itsdangerous", b"", b"\x00\xff", "sälz".encode()]
LIFETIME = 2678400
NOW = 1_700_000_000
#: Of the year 9999: later times make Python fail, which `differences.py` is about.
LAST_SECOND = 253402300799
#: Cases that are under way at once: enough to keep the tool busy, few enough to keep memory flat.
BATCH = 2000


@dataclass(frozen=True)
class Scheme:
    """How a cookie is signed."""

    secrets: list[bytes]
    salt: bytes
    digest: str
    derivation: str

    @staticmethod
    def at_random(rng: random.Random) -> Scheme:
        """Any scheme; Flask's own most often."""
        keys = [
            lambda: b"dev",
            lambda: rng.randbytes(32),
            lambda: "schlüssel ☃".encode(),
            lambda: rng.randbytes(rng.randrange(1, 200)),
        ]
        secrets = [rng.choice(keys)() for _ in range(rng.choice([1, 1, 2, 3]))]
        if rng.random() < 0.3:
            return Scheme(secrets, b"cookie-session", "sha1", "hmac")
        return Scheme(secrets, rng.choice([*SALTS, rng.randbytes(8)]), rng.choice(DIGESTS), rng.choice(DERIVATIONS))

    def serializer(self, now: int) -> URLSafeTimedSerializer:
        """ItsDangerous' serializer with Flask's tagged JSON, its clock at `now`."""
        how = {"key_derivation": self.derivation, "digest_method": getattr(hashlib, self.digest)}
        signer = type("Signer", (TimestampSigner,), {"get_timestamp": lambda self: now})
        return URLSafeTimedSerializer(self.secrets, salt=self.salt, serializer=tagged, signer=signer, signer_kwargs=how)

    def to_json(self) -> dict[str, Any]:
        """The scheme's part of a request line."""
        return {
            "secrets_hex": [secret.hex() for secret in self.secrets],
            "salt_hex": self.salt.hex(),
            "digest": self.digest,
            "key_derivation": self.derivation,
        }


@dataclass(frozen=True)
class Case:
    """A line for the tool, and a check of its answer that says what is wrong with it."""

    line: dict[str, Any]
    check: Callable[[dict[str, Any]], str | None]
    kind: str


def session_of(values: Values) -> Any:
    """A session; now and then a single value of any size, so that compression is met."""
    return {"a": values.big_value()} if values.rng.random() < 0.05 else values.session()


def verify_case(rng: random.Random, values: Values) -> Case:
    """Flask signs, Carafe reads: good cookies mostly, some aged, some tampered with."""
    scheme = Scheme.at_random(rng)
    signed_at = rng.choice([NOW, rng.randrange(2**31), rng.randrange(LAST_SECOND), 0, 255, 256])
    signing = Scheme([rng.choice(scheme.secrets)], scheme.salt, scheme.digest, scheme.derivation)
    session = session_of(values)
    cookie = signing.serializer(signed_at).dumps(session)
    if rng.random() < 0.1:
        content = sloppy_json.dumps(tagged.tag(session), rng).encode()
        signer = next(iter(signing.serializer(signed_at).iter_unsigners()))
        cookie = signer.sign(encode(content)).decode()
    if rng.random() < 0.05:
        position = rng.randrange(len(cookie) - 1)  # the last character has spellings that mean the same
        cookie = cookie[:position] + chr(rng.choice(ALPHABET)) + cookie[position + 1 :]
    max_age = rng.choice([LIFETIME, LIFETIME, None, 0, 1, 3600])
    limit = LIFETIME if max_age is None else max_age
    good_ages = [0, limit, rng.randrange(limit + 1)]
    age = rng.choice(good_ages if rng.random() < 0.95 else [limit + 1, -1])
    now = max(0, signed_at + age)
    try:
        loaded = scheme.serializer(now).loads(cookie, max_age=max_age)
        expected: bytes | None = tagged.dumps(loaded).encode()
    except (BadData, ValueError, OverflowError):
        expected = None

    def check(answer: dict[str, Any]) -> str | None:
        if answer.get("ok") is not True:
            return None if expected is None and answer.get("ok") is False else "refused, but Flask loads it"
        if expected is None:
            return "loaded, but Flask refuses it"
        return None if answer.get("tagged_json_hex") == expected.hex() else f"Flask loads {expected!r}"

    line = {"op": "verify", **scheme.to_json(), "max_age": max_age, "now": now, "cookie": cookie}
    return Case(line, check, "verify" if expected is not None else "verify, refused")


def sign_case(rng: random.Random, values: Values) -> Case:
    """Carafe signs, Flask reads; uncompressed cookies must be Flask's to the byte."""
    scheme = Scheme.at_random(rng)
    now = rng.choice([NOW, rng.randrange(2**31), rng.randrange(LAST_SECOND), 0, 255, 256])
    session = session_of(values)
    text = tagged.dumps(session)
    if rng.random() < 0.1:
        text = sloppy_json.dumps(tagged.tag(session), rng)
    canonical = tagged.dumps(tagged.loads(text)).encode()
    compress = rng.random() < 0.7
    serializer = scheme.serializer(now)
    signer = next(iter(serializer.iter_unsigners()))
    expected = signer.sign(encode(canonical, None if compress else False)).decode()

    def check(answer: dict[str, Any]) -> str | None:
        cookie = answer.get("cookie")
        if answer.get("ok") is not True or not isinstance(cookie, str):
            return "not signed"
        if cookie == expected:
            return None
        # Deflate has no canonical form: other bytes may mean the same, and be a few more or fewer.
        as_flask = expected.startswith(".") == cookie.startswith(".") or is_at_boundary(canonical)
        if not compress or not as_flask or expected[0] == cookie[0] != ".":
            return f"Flask writes {expected}"
        if (payload_json(cookie.encode()) or (b"",))[0] != canonical:
            return "other payload bytes"
        try:
            loaded = serializer.loads(cookie, max_age=0)
        except BadData as error:
            return f"Flask refuses it: {error}"
        return None if tagged.dumps(loaded).encode() == canonical else "Flask loads another value"

    line = {"op": "sign", **scheme.to_json(), "now": now, "tagged_json_hex": text.encode().hex(), "compress": compress}
    return Case(line, check, "sign, compressed" if expected.startswith(".") else "sign")


class Tool:
    """The tool's process; a thread feeds it, so that neither side waits on a full pipe."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, lines: list[bytes]) -> Iterator[bytes]:
        """The answer to each line, in order."""
        assert self._process.stdin and self._process.stdout
        feeder = threading.Thread(target=self._feed, args=(lines,))
        feeder.start()
        for _ in lines:
            answer = self._process.stdout.readline()
            if not answer:
                raise SystemExit("the tool ended before it had answered")
            yield answer
        feeder.join()

    def _feed(self, lines: list[bytes]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.writelines(lines)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the reader notices that the tool has ended

    def close(self) -> int:
        """Ends the tool by the end of its input; its exit status."""
        assert self._process.stdin
        self._process.stdin.close()
        return self._process.wait(timeout=30)


def run(
    tool: Tool, count: int, rng: random.Random, make: Callable[[random.Random, Values], Case]
) -> tuple[Counter[str], int]:
    """Tries `count` cases; how many there were of each kind, and how many went wrong."""
    values = Values(rng)
    kinds: Counter[str] = Counter()
    mismatches = 0
    while (left := count - sum(kinds.values())) > 0:
        cases = [make(rng, values) for _ in range(min(BATCH, left))]
        kinds.update(case.kind for case in cases)
        lines = [json.dumps(case.line).encode() + b"\n" for case in cases]
        for case, answer in zip(cases, tool.ask(lines)):
            if wrong := case.check(json.loads(answer)):
                mismatches += 1
                if mismatches <= 5:
                    print(
                        f"MISMATCH: {wrong}\n  asked:    {json.dumps(case.line)}\n  answered: {answer.decode().strip()}"
                    )
    return kinds, mismatches


def main(argv: list[str] | None = None) -> int:
    """Runs both ways; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, metavar="N", help="sessions each way")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument(
        "--tool", default=os.environ.get("CARAFE_EXCHANGE", ""), metavar="COMMAND", help="default: $CARAFE_EXCHANGE"
    )
    arguments = parser.parse_args(argv)
    if not arguments.tool:
        parser.error("name the tool: $CARAFE_EXCHANGE or --tool")
    tool = Tool(shlex.split(arguments.tool))
    started = time.monotonic()
    seen: Counter[str] = Counter()
    mismatches = 0
    for direction, make in (("verify", verify_case), ("sign", sign_case)):
        kinds, wrong = run(tool, arguments.count, random.Random(f"{arguments.seed} {direction}"), make)
        seen += kinds
        mismatches += wrong
    if tool.close() != 0:
        print("MISMATCH: the tool ended with an error")
        mismatches += 1
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(seen.items()))
    print(
        f"{arguments.count} sessions each way, {mismatches} mismatches ({listed}; {time.monotonic() - started:.0f} s)"
    )
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
