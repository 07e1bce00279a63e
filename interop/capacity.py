"""The cost of sessions in a store: the CPU of a request in the service and in the store, and the bytes of a session.

CARAFE_TWIN=target/release/examples/twin python interop/capacity.py --store redis://127.0.0.1:7000 --pid 4711

The client takes most of the machine, so that requests a second say little. CPU times are the processes' own, and
say how many requests a core can serve.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from crashes import children_of
from differ.twins import Server
from failover import ask
from keepalive import Answer, Client

SETTINGS = {"FLASK_SECRET_KEY": "a key for measuring"}
CONNECTIONS = 32
#: The content of each session.
DATA = [["set", f"key{number}", "x" * 22] for number in range(10)]
#: The length of that content in a store.
LENGTH = len(json.dumps({key: value for _, key, value in DATA}, separators=(",", ":")))
TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """The CPU time of a process and of its children, in seconds."""
    total = 0
    for each in (pid, *children_of(pid)):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        # The process's own time, and the time of its children that have ended.
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


async def bytes_in(store: str) -> int:
    """The bytes that the store takes for all its content."""
    if store.startswith("redis"):
        lines = (await ask(store, "INFO memory")).splitlines()
        return int(next(line for line in lines if line.startswith("used_memory:")).split(":")[1])
    psql = Path(os.environ["CARAFE_POSTGRES"]).resolve().with_name("psql")
    query = "SELECT coalesce(pg_total_relation_size(to_regclass('carafe_sessions')), 0)"
    return int(subprocess.check_output([psql, store, "-Atc", query], text=True))


async def log_in(url: str, first: int, count: int, logs_in: bool) -> list[str]:
    """The cookies of new sessions."""
    cookies: list[str] = []

    async def some(connection: int) -> None:
        async with Client(url) as client:
            for number in range(connection, count, CONNECTIONS):
                login = [["login", f"user{first + number}"]] if logs_in else []
                answer = await client.run([*login, *DATA])
                assert answer.status == 200 and answer.cookie, answer
                cookies.append(answer.cookie)

    await asyncio.gather(*(some(connection) for connection in range(CONNECTIONS)))
    return cookies


class Measurement:
    """Measures one twin on one store."""

    def __init__(self, server: Server, pid: int | None, seconds: float) -> None:
        self.server, self.pid, self.seconds = server, pid, seconds

    async def requests(self, ops: list[object] | None, cookies: list[str]) -> tuple[float, float, float, float, float]:
        """Requests a second, CPU microseconds of one in the twin and in the store, and two quantiles of its ms."""
        times: list[float] = []
        deadline = time.monotonic() + self.seconds

        async def send(client: Client, cookie: str) -> Answer:
            return await (client.run(ops, cookie) if ops is not None else client.send("GET", "/plain", cookie))

        async def visitor(number: int) -> None:
            async with Client(self.server.url) as client:
                while time.monotonic() < deadline:
                    started = time.monotonic()
                    answer = await send(client, cookies[(number + CONNECTIONS * len(times)) % len(cookies)])
                    assert answer.status == 200, answer
                    times.append(time.monotonic() - started)

        pids = [self.server.pid, *([self.pid] if self.pid else [])]
        before, started = [cpu_of(pid) for pid in pids], time.monotonic()
        await asyncio.gather(*(visitor(number) for number in range(CONNECTIONS)))
        took = time.monotonic() - started
        spent = [(cpu_of(pid) - was) / len(times) * 1e6 for pid, was in zip(pids, before)]
        quantiles = statistics.quantiles(times, n=100)
        return (len(times) / took, spent[0], spent[1] if self.pid else 0.0, quantiles[49] * 1e3, quantiles[98] * 1e3)


async def measure(arguments: argparse.Namespace, server: Server) -> None:
    """All of one store."""
    kind, url = urlsplit(arguments.store).scheme or arguments.store, server.url
    if os.environ.get("CARAFE_TWIN_PREPARED") == "1":
        print(f"{kind} remembers statements:")
    measurement = Measurement(server, arguments.pid, arguments.seconds)
    cookies = await log_in(url, 0, 2000, True)
    print(f"{kind:10} {'':8} {'requests/s':>11} {'service us':>11} {'store us':>9} {'p50 ms':>7} {'p99 ms':>7}")
    works: list[tuple[str, list[object] | None]] = [
        ("nothing", None),
        ("read", [["get", "key1"]]),
        ("write", [["get", "key1"], ["set", "key1", "y" * 22]]),
    ]
    # The first is to warm up.
    await measurement.requests(works[2][1], cookies)
    for name, ops in works:
        rate, service, store, median, slow = await measurement.requests(ops, cookies)
        print(f"{kind:10} {name:8} {rate:11.0f} {service:11.1f} {store:9.1f} {median:7.1f} {slow:7.1f}")
    if arguments.pid:
        for name, logs_in in (("anonymous", False), ("of a user", True)):
            before = await bytes_in(arguments.store)
            await log_in(url, 1_000_000, arguments.sessions, logs_in)
            size = (await bytes_in(arguments.store) - before) / arguments.sessions
            print(f"{kind:10} {size:.0f} bytes a session {name}, with {LENGTH} bytes of JSON")


def main() -> int:
    """Measures; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="STORE", help="as the twin's")
    parser.add_argument("--pid", type=int, metavar="N", help="the store's process, if it has one")
    parser.add_argument("--seconds", type=float, default=10, metavar="N", help="for each kind of request")
    parser.add_argument("--sessions", type=int, default=20_000, metavar="N", help="how many to count the bytes of")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    server = Server([*shlex.split(twin), "--listen", "127.0.0.1:0", "--store", arguments.store], SETTINGS)
    try:
        asyncio.run(measure(arguments, server))
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
