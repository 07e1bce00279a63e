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
from keepalive import Answer, Client
from races import SETTINGS, Races, race
from test_package import gunicorn

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


async def count(checks: Checks, urls: dict[str, str], clients: int, increments: int) -> None:
    """Many clients count in one session: half of them at gunicorn's workers, half at axum."""
    async with Client(urls["gunicorn"]) as client:
        cookie = (await client.send("GET", "/count", "", "")).cookie
    assert cookie, "no session began"
    numbers: list[int] = []
    refused: list[Answer] = []

    async def increment(at: str) -> None:
        async with Client(urls[at]) as client:
            for _ in range(increments):
                if at == "axum":
                    answer = await client.run([["incr", "n"]], cookie)
                    number = answer.results[0] if answer.results else None
                else:
                    answer = await client.send("GET", "/count", cookie, "")
                    number = int(answer.body) if answer.status == 200 else None
                numbers.append(number) if isinstance(number, int) else refused.append(answer)

    await asyncio.gather(*(increment("axum" if number % 2 else "gunicorn") for number in range(clients)))
    total = clients * increments
    checks.check(f"{clients} clients at four workers and at axum: nobody is refused", not refused, refused[:3])
    checks.check(f"they count to {total}, each number once", sorted(numbers) == list(range(2, total + 2)), len(set(numbers)))


def workers(checks: Checks, store: str, twin: list[str], clients: int, increments: int) -> None:
    """Four processes of Flask under gunicorn, and one of axum."""
    key = SETTINGS["FLASK_SECRET_KEY"]
    with ExitStack() as running:
        flask = running.enter_context(
            gunicorn(store, "--preload", "--workers", "4", "--threads", "16", "--keep-alive", "30", key=key)
        )
        axum = Server([*twin, "--listen", "127.0.0.1:0", "--store", store], SETTINGS)
        running.callback(axum.stop)
        asyncio.run(count(checks, {"gunicorn": flask, "axum": axum.url}, clients, increments))


def main() -> int:
    """Races on each store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="append", required=True, metavar="URL", help="repeatable")
    parser.add_argument("--clients", type=int, default=32, metavar="N")
    parser.add_argument("--increments", type=int, default=50, metavar="N", help="of each of 64 clients (default 50)")
    arguments = parser.parse_args()
    twin = shlex.split(os.environ.get("CARAFE_TWIN", ""))
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    checks = Checks()
    for store in arguments.store:
        with serve(store, twin) as urls:
            asyncio.run(race(Races(checks, store, urls), arguments.clients))
        if store != "memory:":
            workers(checks, store, twin, 64, arguments.increments)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
