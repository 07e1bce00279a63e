"""Two processes of the twin on one store under load, while one thing after the other goes wrong with it.

CARAFE_TWIN=target/release/examples/twin python interop/conditions --store sqlite:/tmp/sessions.db --seconds 600
CARAFE_TWIN=... python interop/conditions --store redis://127.0.0.1:7000 --server 'redis-server --port 7000 ...'

The clients and their judge come from `crashes.py`: nothing that was acknowledged is lost, and nothing that had ended
comes back. Besides, a request is refused only while the store can't answer, both processes answer again within a second
of its return, and they hold no more memory, descriptors and threads than before.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from checks import Checks  # noqa: E402
from conditions.faults import Fault, faults_of  # noqa: E402
from conditions.network import Network  # noqa: E402
from conditions.processes import Held  # noqa: E402
from conditions.server import Victim  # noqa: E402
from crashes import Crashes, Known  # noqa: E402
from differ.twins import FRAMEWORKS, Server, on  # noqa: E402
from keepalive import Answer, Client, Lost  # noqa: E402

SETTINGS = {"FLASK_SECRET_KEY": "a key that both processes have"}
CLIENTS = 8
#: The time after the store's return in which a visit may still be refused.
RECOVERY = 1.0
#: The pause of a client after a visit.
REST = 0.05
#: The growth of a process' memory that is allowed, in MiB, besides the sessions that are in memory.
MORE_MIB = 24.0
#: The most memory that a session takes, in MiB.
SESSION_MIB = 0.004


class Conditions(Crashes):
    """The clients, the twins, and what goes wrong."""

    def __init__(self, twin: list[str], store: str, server: list[str] | None, seed: int) -> None:
        super().__init__(twin, store, None, seed)
        self.twin, self.store = twin, store
        self.server = Victim(server, store) if server else None
        self.network = Network(store) if server else None
        self.windows: list[tuple[float, float]] = []
        self.refusals: list[tuple[float, float]] = []
        self.recoveries: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    @property
    def kind(self) -> str:
        """The kind of the store."""
        return self.store.split(":")[0]

    async def begin(self) -> None:
        """Starts the store, the way to it, and the twins."""
        if self.server and self.network:
            await self.server.ready()
            url = await self.network.open()
            self.command = [*self.twin, "--listen", "127.0.0.1:0", "--store", url]
        # A store in memory has one process.
        count = 1 if self.kind == "memory" else 2
        self.servers = [self.start(index, SETTINGS, "error") for index in range(count)]
        if count == 1:
            self.servers *= 2

    def distinct(self) -> list[Server]:
        """The twins, each once."""
        return list({server.pid: server for server in self.servers}.values())

    def start_ahead(self, seconds: int) -> Server:
        """One more twin, whose clock is wrong."""
        command = [*self.command, "--now", str(int(time.time()) + seconds), "--log", "error"]
        return on(FRAMEWORKS[0], command, SETTINGS)

    async def change(self, client: Client, known: Known, op: list[object]) -> Answer | None:
        """Makes a change like the clients of crashes, and notes when the store refused it."""
        asked, before = time.monotonic(), self.story.unavailable
        answer = await super().change(client, known, op)
        if self.story.unavailable > before and answer is None:
            self.refusals.append((asked, time.monotonic()))
        return answer

    async def visit(self, number: int, stop: asyncio.Event) -> None:
        """One visitor after the other, with some rest between."""
        while not stop.is_set():
            async with Client(self.servers[number % 2].url) as client:
                try:
                    await self.one_visit(client, number, stop)
                except Lost:
                    self.story.unknown += 1
            await asyncio.sleep(REST)

    async def under_load(self, during: Callable[[], Awaitable[None]]) -> None:
        """Does something while the clients are busy."""
        stop = asyncio.Event()
        clients = [asyncio.create_task(self.visit(number, stop)) for number in range(CLIENTS)]
        await asyncio.sleep(0.5)
        await during()
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*clients)

    async def inject(self, fault: Fault) -> None:
        """Has one thing go wrong, and right again."""
        refused = len(self.refusals)
        first = len(self.story.sessions)

        async def during() -> None:
            begin = time.monotonic()
            if fault.refuses:
                self.windows.append((begin, float("inf")))
            await fault.run(self)
            if fault.refuses:
                self.windows[-1] = (begin, time.monotonic() + RECOVERY)
            await self.time_recovery(fault)

        if fault.rests:
            await during()
            await self.under_load(lambda: asyncio.sleep(0.5))
        else:
            await self.under_load(during)
        self.counts[fault.name] = self.counts.get(fault.name, 0) + len(self.refusals) - refused
        await self.check_sessions(self.story.sessions[max(0, first - 32) :])

    async def time_recovery(self, fault: Fault) -> None:
        """The time until both processes write again."""
        started = time.monotonic()
        await self.recover()
        took = time.monotonic() - started
        self.recoveries[fault.name] = max(took, self.recoveries.get(fault.name, 0.0))

    def evicted(self) -> None:
        """Every session that there is may have been removed by the store."""
        for known in self.story.sessions:
            known.ending = True

    def unexcused(self) -> list[float]:
        """When a request was refused although the store could answer."""

        def is_excused(asked: float, heard: float) -> bool:
            return any(asked <= end and heard >= begin for begin, end in self.windows)

        return [asked for asked, heard in self.refusals if not is_excused(asked, heard)]

    def held(self) -> list[Held]:
        """The resources of each process."""
        return [Held.by(server.pid) for server in self.distinct()]

    async def run(self, seconds: float) -> list[tuple[Held, Held]]:
        """All faults, again and again until the time is over; what the processes held before and after."""
        deadline = time.monotonic() + seconds
        faults = faults_of(self.kind)
        await self.under_load(lambda: asyncio.sleep(2))
        before, sessions = self.held(), len(self.story.sessions)
        while True:
            for fault in faults:
                await self.inject(fault)
                if fault.restarts:
                    await self.under_load(lambda: asyncio.sleep(2))
                    before, sessions = self.held(), len(self.story.sessions)
            # What the same processes hold is compared over all the rounds that follow.
            faults = [fault for fault in faults if not fault.restarts]
            if time.monotonic() > deadline:
                break
        await asyncio.sleep(1)
        self.mib_more = MORE_MIB + (len(self.story.sessions) - sessions) * SESSION_MIB * (self.kind == "memory")
        after = self.held()
        await self.check_sessions(self.story.sessions)
        return list(zip(before, after, strict=True))

    def stop(self) -> None:
        """Ends all that runs."""
        for server in self.distinct():
            server.stop()
        if self.server:
            self.server.stop()


async def run(conditions: Conditions, seconds: float) -> list[tuple[Held, Held]]:
    """All of it."""
    try:
        await conditions.begin()
        return await conditions.run(seconds)
    finally:
        conditions.stop()


def report(conditions: Conditions, held: list[tuple[Held, Held]]) -> int:
    """Prints what came of it; the exit status."""
    checks, story, kind = Checks(), conditions.story, conditions.kind
    print(
        f"       {kind}: {len(story.sessions)} sessions, {sum(known.ended for known in story.sessions)} of them ended, "
        f"{story.acknowledged} answers, {story.unavailable} refused, {story.unknown} lost"
    )
    for name, took in conditions.recoveries.items():
        print(f"       {kind}: {name}: {conditions.counts[name]} refused, back after {took * 1000:.0f} ms")
    unexcused = conditions.unexcused()
    late = {name: took for name, took in conditions.recoveries.items() if took > RECOVERY}
    checks.check(f"{kind}: there was something to lose", story.acknowledged > 200, story.acknowledged)
    checks.check(f"{kind}: nothing is lost, and nothing comes back", not story.wrong, "\n       ".join(story.wrong[:10]))
    checks.check(f"{kind}: a request is refused only while the store can't answer", not unexcused, len(unexcused))
    checks.check(f"{kind}: all answer again within a second", not late, late)
    grown = [pair for pair in held if pair[1].exceeds(pair[0], conditions.mib_more)]
    checks.check(f"{kind}: memory, descriptors and threads stay", not grown, grown)
    print(f"       {kind}: held {held}")
    return checks.finish()


def main() -> int:
    """Tests one store under every condition; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="STORE", help="as the twin's")
    parser.add_argument("--server", metavar="COMMAND", help="starts the store's server, in the foreground")
    parser.add_argument("--seconds", type=float, default=30, metavar="N", help="at least one of each is done in any case")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    server = shlex.split(arguments.server) if arguments.server else None
    conditions = Conditions(shlex.split(twin), arguments.store, server, arguments.seed)
    return report(conditions, asyncio.run(run(conditions, arguments.seconds)))


if __name__ == "__main__":
    sys.exit(main())
