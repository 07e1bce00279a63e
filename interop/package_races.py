"""Flask on the package `carafe_sessions` and the twin on axum, on one store, and many clients that use one session at once.

    CARAFE_TWIN=target/debug/examples/twin PYTHONPATH=target/xtask/pythonpath \\
        python interop/package_races.py --store sqlite:/tmp/sessions.db

The checks are in `races.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from checks import Checks
from differ.twins import Server
from races import SETTINGS, Races, race

FLASK = [sys.executable, str(Path(__file__).with_name("twin.py"))]


@contextmanager
def serve(store: str, twin: list[str]) -> Iterator[list[str]]:
    """The URLs of both servers on a store; of Flask alone on the one in memory."""
    arguments = ["--listen", "127.0.0.1:0", "--store", store]
    commands = [FLASK] if store == "memory:" else [FLASK, twin]
    with ExitStack() as running:
        servers = [Server([*command, *arguments], SETTINGS) for command in commands]
        for server in servers:
            running.callback(server.stop)
        yield [server.url for server in servers]


def main() -> int:
    """Races on each store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="append", required=True, metavar="URL", help="repeatable")
    parser.add_argument("--clients", type=int, default=32, metavar="N")
    arguments = parser.parse_args()
    twin = shlex.split(os.environ.get("CARAFE_TWIN", ""))
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    checks = Checks()
    for store in arguments.store:
        with serve(store, twin) as urls:
            asyncio.run(race(Races(checks, store, urls), arguments.clients))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
