"""Workers of Flask under gunicorn are killed while clients count in one session.

    PYTHONPATH=target/xtask/pythonpath python interop/package_kills.py --store sqlite:/tmp/sessions.db [--kills 50]

No number may be given twice, and none may be lost that a client was told. Of a request whose worker was killed it is
not known whether it counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from checks import Checks
from keepalive import Client, Lost
from test_package import KEY, gunicorn

CLIENTS = 8
#: Seconds between two kills: a worker has to come back.
PAUSE = 0.3


class Counting:
    """Clients that count in one session until they are told to stop."""

    def __init__(self, url: str, cookie: str) -> None:
        self._url, self._cookie = url, cookie
        self._stopped = False
        self.numbers: list[int] = []
        self.unknown = 0
        self.refused: list[int] = []

    async def count(self) -> None:
        """What one client does."""
        async with Client(self._url) as client:
            while not self._stopped:
                try:
                    answer = await client.send("GET", "/count", self._cookie)
                except Lost:
                    self.unknown += 1
                    await asyncio.sleep(0.01)
                    continue
                if answer.status == 200:
                    self.numbers.append(int(answer.body))
                else:
                    self.refused.append(answer.status)

    async def kill(self, kills: int) -> None:
        """Kills the worker that happens to answer, again and again."""
        while kills > 0:
            await asyncio.sleep(PAUSE)
            async with Client(self._url) as client:
                try:
                    os.kill(int((await client.send("GET", "/process")).body), signal.SIGKILL)
                except (Lost, ProcessLookupError):
                    # The worker was still dying of the last kill.
                    continue
            kills -= 1
        self._stopped = True


async def counted(checks: Checks, url: str, kills: int) -> None:
    """Counts while workers are killed, and checks the numbers."""
    async with Client(url) as client:
        cookie = (await client.send("GET", "/count")).cookie
        assert cookie, "no session began"
    counting = Counting(url, cookie)
    await asyncio.gather(counting.kill(kills), *(counting.count() for _ in range(CLIENTS)))
    # The last kill may have ended the connection that was there before.
    async with Client(url) as client:
        last = int((await client.send("GET", "/count", cookie)).body)
    numbers = counting.numbers
    checks.check(f"{kills} killed workers: no other request is refused", not counting.refused, counting.refused[:3])
    checks.check(f"each of {len(numbers)} numbers is given once", len(set(numbers)) == len(numbers))
    counted_unseen = last - 2 - len(numbers)
    checks.check(
        f"no number is lost, and {counted_unseen} of {counting.unknown} requests counted without an answer",
        0 <= counted_unseen <= counting.unknown,
        (last, len(numbers), counting.unknown),
    )


def main() -> int:
    """Kills workers on one store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="URL")
    parser.add_argument("--kills", type=int, default=10, metavar="N")
    arguments = parser.parse_args()
    checks = Checks()
    with gunicorn(arguments.store, "--workers", "4", "--threads", "4", "--keep-alive", "30", key=KEY) as url:
        asyncio.run(counted(checks, url, arguments.kills))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
