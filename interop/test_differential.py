"""Proves that the differential tester finds bugs: run by plain `python interop/test_differential.py [MUTANT ...]`.

Real Flask against itself agrees; against itself with Carafe's documented differences it agrees and names each of them; and
each mutant of `mutants.py` is caught.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import differences
import differential
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


def check(name: str, passed: bool, printed: str) -> bool:
    """Prints one line, and everything the tester said where the check failed."""
    print(f"{'ok    ' if passed else 'FAILED'} {name}" + ("" if passed else "\n" + printed), flush=True)
    return passed


def check_mutant(name: str) -> bool:
    """Whether the tester finds a mutant and says how to see it again."""
    status, printed = run(f"{sys.executable} {HERE / 'mutants.py'} {name}", CONFIGURATIONS.get(name, "default"), 1500)
    return check(name, status == 1 and "DISAGREEMENT" in printed and "--replay" in printed, printed)


def check_carafe_like() -> bool:
    """Whether each documented difference is seen and explained, and nothing else is."""
    status, printed = run(f"{sys.executable} {HERE / 'mutants.py'} carafe-like", "default", 4000)
    # The boundary needs another deflate, which Python has not.
    expected = [rule.name for rule in differences.RULES if rule.name != "deflate-boundary"]
    return check("documented differences", status == 0 and all(name in printed for name in expected), printed)


def main(names: list[str]) -> int:
    """Runs all checks, or the mutants named."""
    if names:
        return 0 if all([check_mutant(name) for name in names]) else 1
    status, printed = run(TWIN, "default", 1000)
    results = [check("Flask agrees with itself", status == 0 and " 0 disagreements (0 documented" in printed, printed)]
    results.append(check_carafe_like())
    results += [check_mutant(name) for name in MUTANTS if name != "carafe-like"]
    print(f"{sum(results)} of {len(results)} checks passed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
