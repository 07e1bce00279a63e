"""Many connections at once on the twin: every answer right, and no memory that grows.

CARAFE_TWIN=target/release/examples/twin python interop/load.py --seconds 30 --connections 64
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from checks import Checks
from differ.twins import Server
from keepalive import Client

#: Settings under which every kind of store starts.
SETTINGS = {"FLASK_SECRET_KEY": "a key for load that is long enough to seal with"}
#: The growth of the resident memory that is allowed once the server is warm.
SLACK = 8 << 20


@dataclass
class Tally:
    """An answer."""

    answers: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0


async def visitor(url: str, deadline: float, tally: Tally) -> None:
    """One visitor, who counts their requests in their session and checks the count."""
    cookie, count = "", 0
    async with Client(url) as client:
        while time.monotonic() < deadline:
            started = time.monotonic()
            answer = await client.run([["incr", "n"], ["set", "last", "x" * (count % 50)], ["get", "n"]], cookie)
            tally.slowest = max(tally.slowest, time.monotonic() - started)
            count += 1
            tally.answers += 1
            if answer.results != [count, None, count]:
                tally.wrong.append(f"expected the count {count}: {answer.status} {answer.body[:200]!r}")
                break
            cookie = answer.cookie or cookie


def resident(pid: int) -> int:
    """The bytes of memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) << 10


async def load(server: Server, seconds: float, connections: int) -> tuple[Tally, int, int]:
    """Runs the visitors; what came back, and the memory once warm and at the end."""
    tally = Tally()
    deadline = time.monotonic() + seconds
    visitors = [asyncio.create_task(visitor(server.url, deadline, tally)) for _ in range(connections)]
    await asyncio.sleep(seconds / 3)
    warm = resident(server.pid)
    await asyncio.gather(*visitors)
    return tally, warm, resident(server.pid)


def main() -> int:
    """Loads each kind of store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="for each kind of store")
    parser.add_argument("--connections", type=int, default=64, metavar="N")
    parser.add_argument("--store", action="append", metavar="STORE", help="default: cookie, sealed and memory")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    checks = Checks()
    for store in arguments.store or ["cookie", "sealed", "memory"]:
        server = Server([*shlex.split(twin), "--listen", "127.0.0.1:0", "--store", store], SETTINGS)
        try:
            tally, warm, end = asyncio.run(load(server, arguments.seconds, arguments.connections))
        finally:
            status = server.stop()
        rate = tally.answers / arguments.seconds
        print(
            f"       {store}: {tally.answers} answers, {rate:.0f} a second, the slowest after {tally.slowest * 1000:.0f} ms,"
            f" {warm >> 10} KiB once warm, {end >> 10} KiB at the end"
        )
        checks.check(f"{store}: every answer is right", tally.answers > 0 and not tally.wrong, tally.wrong[:3])
        checks.check(f"{store}: the memory is flat", end - warm < SLACK, f"{warm} bytes, then {end}")
        checks.check(f"{store}: it ends when told to", status == 0, f"exit status {status}")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
