"""Servers that are killed at random moments under load, as by `kill -9`, and started again.

CARAFE_TWIN=target/release/examples/twin python interop/crashes.py --store sqlite:/tmp/sessions.db --kills 200
CARAFE_TWIN=... python interop/crashes.py --store redis://127.0.0.1:7000 --kills 50 --kill 'redis-server --port 7000 ...'

There are two processes of the twin, one on axum and one on actix-web. Without `--kill` it is one of them that is killed,
or both. With it, it is the store, which the
command starts; the twins then go on, and have to recover by themselves.

The clients write down what they were told. What was acknowledged has to be there, and what had ended may not come back;
what was asked when the server died may have been done once, or not at all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from checks import Checks
from differ.twins import FRAMEWORKS, Server, on
from keepalive import Answer, Client, Lost

SETTINGS = {"FLASK_SECRET_KEY": "a key that both processes have"}
#: The time in which a killed server has to answer again.
PATIENCE = 20.0
CLIENTS = 16


@dataclass
class Known:
    """The known facts about a session."""

    cookie: str
    user: str
    counted: int = 0
    asked: int = 0
    keys: set[str] = field(default_factory=set)
    #: No more than asked: it may have been ended.
    ending: bool = False
    ended: bool = False
    #: When each change was asked for, and when its acknowledgement came.
    changes: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Story:
    """All that was seen."""

    sessions: list[Known] = field(default_factory=list)
    acknowledged: int = 0
    unknown: int = 0
    unavailable: int = 0
    #: How long before a kill the store may have acknowledged what it then loses, and the kills.
    window: float = 0.0
    kills: list[float] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)
    #: The number of ended sessions that are back, excused or not.
    back: int = 0
    wrong: list[str] = field(default_factory=list)

    def complain(self, what: str, answer: Answer | None = None, known: Known | None = None) -> None:
        """Something that may not happen; to a session, only if a kill soon after a change of it is no excuse."""
        if known and self.is_excused(known):
            self.excused.add(known.cookie)
            return
        self.wrong.append(f"{what}: {answer.status} {answer.body[:200]!r}" if answer else what)

    def is_excused(self, known: Known) -> bool:
        """Whether the store may have lost a change. One that keeps all that it acknowledges has no excuse, ever."""
        if not self.window:
            return False
        # What is acknowledged before the end may be heard of after it; what is asked after it comes too late to be lost.
        return any(asked <= kill <= heard + self.window for kill in self.kills for asked, heard in known.changes)


class Killed:
    """A process that is killed and started again; `Server` says when it listens, this asks its port."""

    def __init__(self, command: list[str], url: str) -> None:
        address = urlsplit(url)
        self._command = command
        self._address = address.hostname, address.port
        self.start()

    def start(self) -> None:
        """Starts it in a process group of its own."""
        self._process = subprocess.Popen(
            self._command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr
        )

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        os.kill(self._process.pid, number)

    async def listens(self) -> None:
        """Waits for it; starts it again if it ends, because what was killed still has its files."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if self._process.poll() is not None:
                self.start()
            try:
                _, writer = await asyncio.open_connection(*self._address)
                return writer.close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        """Asks it to end: what is killed leaves shared memory behind."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kills it with all its children: PostgreSQL's children are in groups of their own."""
        if self._process.poll() is not None:
            return
        children = children_of(self._process.pid)
        os.killpg(self._process.pid, signal.SIGKILL)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait()


def children_of(pid: int) -> list[int]:
    """What a process has started and still runs; nothing where the system doesn't tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


class Crashes:
    """The clients, and the servers that they use."""

    def __init__(self, twin: list[str], store: str, victim: list[str] | None, seed: int) -> None:
        self.random = random.Random(seed)
        self.command = [*twin, "--listen", "127.0.0.1:0", "--store", store]
        self.victim = Killed(victim, store) if victim else None
        self.servers: list[Server] = []
        self.story = Story()

    async def begin(self) -> None:
        """Starts what is not running."""
        if self.victim:
            await self.victim.listens()
        self.servers = [self.start(index) for index in range(2)]
        # There is a session to ask for at the first kill, too.
        async with Client(self.servers[0].url) as client:
            await self.log_in(client)

    def start(self, index: int, settings: dict[str, str] = SETTINGS, log: str = "trace") -> Server:
        """One of the two twins: they are on different frameworks. Whatever they log is looked through."""
        return on(FRAMEWORKS[index], [*self.command, "--log", log], settings)

    async def crash(self) -> None:
        """Some load, and a kill in the midst of it."""
        stop = asyncio.Event()
        clients = [asyncio.create_task(self.visit(number, stop)) for number in range(CLIENTS)]
        await asyncio.sleep(self.random.uniform(0.05, 0.5))
        if self.victim:
            self.victim.kill()
            self.story.kills.append(time.monotonic())
            await self.check_outage()
            self.victim.start()
            await self.victim.listens()
        else:
            dying = self.random.choice([[0], [1], [0, 1]])
            for index in dying:
                os.kill(self.servers[index].pid, signal.SIGKILL)
            for index in dying:
                self.servers[index].stop()
                self.servers[index] = self.start(index)
        stop.set()
        await asyncio.gather(*clients)
        await self.recover()
        await self.check_sessions(self.story.sessions[-CLIENTS * 8 :])

    async def check_outage(self) -> None:
        """While the store is down, only those who need their session notice."""
        known = next(known for known in reversed(self.story.sessions) if not known.ending)
        for server in self.servers:
            async with Client(server.url) as client:
                plain = await client.send("GET", "/plain")
                if plain.status != 200:
                    self.story.complain("a route without a session fails with the store", plain)
                read = await client.send("GET", "/read", known.cookie)
                if read.status != 503 or read.cookie is not None:
                    self.story.complain("a route with a session is no 503 while the store is down", read)

    async def recover(self) -> None:
        """The servers serve again without help."""
        deadline = time.monotonic() + PATIENCE
        for server in self.servers:
            async with Client(server.url) as client:
                while (answer := await client.run([["set", "a", 1]])).status != 200:
                    if time.monotonic() > deadline:
                        self.story.complain("the server doesn't recover", answer)
                        return
                    await asyncio.sleep(0.05)

    async def visit(self, number: int, stop: asyncio.Event) -> None:
        """One visitor after the other."""
        while not stop.is_set():
            async with Client(self.servers[number % 2].url) as client:
                try:
                    await self.one_visit(client, number, stop)
                except Lost:
                    self.story.unknown += 1
                    # The server doesn't listen until it is started again.
                    await asyncio.sleep(0.02)

    async def one_visit(self, client: Client, number: int, stop: asyncio.Event) -> None:
        """From login to logout, or until the server dies."""
        story = self.story
        known = await self.log_in(client)
        if known is None:
            return await asyncio.sleep(0.02)
        for key in (f"k{step}" for step in range(self.random.randrange(1, 8))):
            if stop.is_set():
                return
            known.asked += 1
            answer = await self.change(client, known, ["incr", "n"])
            if answer is None:
                return
            if not (known.counted < answer.results[0] <= known.asked):
                story.complain(f"after {known.counted} of {known.asked} came another number", answer, known)
            known.counted = known.asked = answer.results[0]
            if await self.change(client, known, ["set", key, f"value-of-crashes-{number}"]) is None:
                return
            known.keys.add(key)
        if number % 2:
            known.ending = True
            known.ended = await self.change(client, known, ["logout"]) is not None

    async def log_in(self, client: Client) -> Known | None:
        """A new session, if it is acknowledged."""
        # Few sessions for each user: all of a user's are listed for each of them in the end.
        known = Known("", f"user-of-crashes-{len(self.story.sessions) // 4}")
        answer = await self.change(client, known, ["login", known.user])
        if answer is None:
            return None
        known.cookie = answer.cookie or ""
        self.story.sessions.append(known)
        return known

    async def change(self, client: Client, known: Known, op: list[object]) -> Answer | None:
        """Changes a session; the answer, if it was done."""
        asked = time.monotonic()
        answer = await client.run([op], known.cookie)
        if not self.is_done(answer):
            return None
        known.changes.append((asked, time.monotonic()))
        return answer

    def is_done(self, answer: Answer) -> bool:
        """Whether it was acknowledged."""
        failed = any(isinstance(result, dict) and result.get("error") for result in answer.results)
        if answer.status == 200 and not failed:
            self.story.acknowledged += 1
            return True
        if answer.status != 503 and not (failed and answer.results[-1] == {"error": "Store"}):
            self.story.complain("an answer that is neither done nor 503", answer)
        self.story.unavailable += 1
        return False

    async def check_sessions(self, sessions: list[Known]) -> None:
        """Compares what is there with what is known."""
        urls = [server.url for server in self.servers]
        async with Client(urls[0]) as first, Client(urls[1]) as second:
            for number, known in enumerate(sessions):
                answer = await (first, second)[number % 2].run([["items"], ["sessions"]], known.cookie)
                if answer.status != 200:
                    self.story.complain("a session can't be read", answer)
                    continue
                items = answer.results[0]
                if known.ended:
                    if items or answer.results[1] != []:
                        self.story.back += 1
                        self.story.complain("a session that had ended is back", answer, known)
                elif not (known.ending and not items):
                    count, keys = items.get("n", 0), {key for key in items if key != "n"}
                    if not known.counted <= count <= known.asked:
                        self.story.complain(f"counted {known.counted} of {known.asked}", answer, known)
                    if not known.keys <= keys:
                        self.story.complain(f"of the keys {sorted(known.keys)} some are missing", answer, known)


async def run(crashes: Crashes, kills: int) -> None:
    """All of it."""
    try:
        await crashes.begin()
        for _ in range(kills):
            await crashes.crash()
        await crashes.check_sessions(crashes.story.sessions)
    finally:
        for server in crashes.servers:
            server.stop()
        if crashes.victim:
            crashes.victim.stop()


def main() -> int:
    """Crashes each store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="STORE", help="as the twin's")
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--kill", metavar="COMMAND", help="starts the store, in the foreground; it is killed instead")
    parser.add_argument(
        "--may-lose-seconds", type=float, default=0, metavar="S", help="how old a write may be that a kill loses"
    )
    parser.add_argument("--expect-loss", action="store_true", help="of a store that can't keep: shows that this notices")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    checks = Checks()
    victim = shlex.split(arguments.kill) if arguments.kill else None
    crashes = Crashes(shlex.split(twin), arguments.store, victim, arguments.seed)
    story = crashes.story
    story.window = arguments.may_lose_seconds
    asyncio.run(run(crashes, arguments.kills))
    kind = arguments.store.split(":")[0]
    ended = sum(known.ended for known in story.sessions)
    print(
        f"       {kind}: {arguments.kills} kills, {len(story.sessions)} sessions, {ended} of them ended, "
        f"{story.acknowledged} answers, {story.unavailable} refused, {story.unknown} lost, "
        f"{len(story.excused)} sessions changed by a write that the store may lose"
    )
    checks.check(f"{kind}: there was something to lose", story.acknowledged > arguments.kills * 10, story)
    if arguments.expect_loss:
        checks.check(f"{kind}: what {arguments.kills} kills lose is noticed", bool(story.wrong))
        return checks.finish()
    checks.check(f"{kind}: {arguments.kills} kills lose and bring back nothing", not story.wrong, "\n       ".join(story.wrong[:10]))
    checks.check(f"{kind}: what may not be lost at all has no excuse", story.window > 0 or not story.excused, story.excused)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
