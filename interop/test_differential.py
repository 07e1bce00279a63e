"""Proves that `differential.py`, `exchange.py` and `silence.py` find bugs: plain `python interop/test_differential.py [MUTANT ...]`.

Real Flask against itself agrees; against itself with Carafe's documented differences it agrees and names each of them; and
each mutant of `mutants.py` is caught, as is each bug of `exchange_flask.py`. So is a log that shows what is secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from pathlib import Path

import differences
import differential
import exchange
import keepalive
import silence
from checks import Checks
from exchange_flask import BUGS
from mutants import MUTANTS

HERE = Path(__file__).parent
TWIN = f"{sys.executable} {HERE / 'twin.py'}"

#: Where a mutant shows; elsewhere the default configuration is enough.
CONFIGURATIONS = {
    "secure-missing": "strict",
    "samesite-missing-on-removal": "strict",
    "oldest-key-signs": "fallbacks",
    "no-fallbacks": "fallbacks",
    "expiry-off-by-one": "short-lifetime",
}


def run(command: str, configuration: str, requests: int, seed: int = 1) -> tuple[int, str]:
    """The tester's exit status and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        arguments = ["--carafe", command, "--config", configuration, "--requests", str(requests), "--seed", str(seed)]
        status = differential.main(arguments)
    return status, printed.getvalue()


def check_mutant(checks: Checks, name: str) -> None:
    """The tester finds a mutant and says how to see it again."""
    status, printed = run(f"{sys.executable} {HERE / 'mutants.py'} {name}", CONFIGURATIONS.get(name, "default"), 1500)
    checks.check(name, status == 1 and "DISAGREEMENT" in printed and "--replay" in printed, printed)


def check_carafe_like(checks: Checks) -> None:
    """Each documented difference is seen and explained, and nothing else is."""
    status, printed = run(f"{sys.executable} {HERE / 'mutants.py'} carafe-like", "default", 4000)
    # The boundary needs another deflate, which Python has not.
    expected = [rule.name for rule in differences.RULES if rule.name != "deflate-boundary"]
    checks.check("documented differences", status == 0 and all(name in printed for name in expected), printed)


def check_exchange(checks: Checks) -> None:
    """The exchange agrees with its own tool, and finds each bug in it."""
    for bug in ["", *BUGS]:
        tool = f"{sys.executable} {HERE / 'exchange_flask.py'} {bug}"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = exchange.main(["--tool", tool, "--count", "300"])
        name = f"exchange: a tool that {bug}" if bug else "exchange: ItsDangerous agrees with itself"
        checks.check(name, status == (1 if bug else 0), printed.getvalue())


def check_silence(checks: Checks) -> None:
    """A log that shows a cookie, a key, a value or an id is noticed, and an ordinary one passes."""
    cookie = b"eyJ1c2VybmFtZSI6ImFkbWluIn0.ZVPxAA.1pJeQjtZo7U6CGxSLhPtlWWPqKw"
    silence.note_cookies(b"theme=dark; session=" + cookie)
    silence.note_values([{"card": "a-long-lasting-number"}])
    keys = silence.keys_of({"FLASK_SECRET_KEY": "the current key", "FLASK_SECRET_KEY_FALLBACKS": '["an older key"]'})
    secrets = [*cookie.split(b"."), b"a-long-lasting-number", b"the current key", b"an older key", b"a0" * 32]
    for secret in secrets:
        if len(secret) < 12:
            continue
        try:
            silence.check("a server", b"INFO carafe: cookie=" + secret + b" refused", keys)
        except silence.Shown:
            checks.check(f"a log that shows {secret.decode()} is noticed", True)
        else:
            checks.check(f"a log that shows {secret.decode()} is noticed", False)
    check_client(checks)
    silence.check("a server", b"2026-01-31T12:00:00.123456Z DEBUG carafe: the session starts empty", keys)
    checks.check("an ordinary log passes", True)


def check_client(checks: Checks) -> None:
    """The client's values are secret, also without an answer; keys and names of operations aren't."""
    ops = [["login", "a-user-who-logs-in"], ["set", "the-name-of-a-key", {"in": "a-value-that-is-set"}]]
    client = keepalive.Client("http://127.0.0.1:1")
    with contextlib.suppress(keepalive.Lost):
        asyncio.run(client.run(ops, "session=the-cookie-of-a-user"))
    for secret in ("a-user-who-logs-in", "a-value-that-is-set", "the-cookie-of-a-user"):
        shown = False
        try:
            silence.check("a server", secret.encode(), [])
        except silence.Shown:
            shown = True
        checks.check(f"a log that shows {secret} is noticed", shown)
    silence.check("a server", b"the-name-of-a-key", [])


def main(names: list[str]) -> int:
    """Runs all checks, or the mutants named."""
    checks = Checks()
    if not names:
        status, printed = run(TWIN, "default", 1000)
        checks.check("Flask agrees with itself", status == 0 and " 0 disagreements (0 documented" in printed, printed)
        check_carafe_like(checks)
        check_exchange(checks)
        check_silence(checks)
    for name in names or MUTANTS:
        if name != "carafe-like":
            check_mutant(checks, name)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
