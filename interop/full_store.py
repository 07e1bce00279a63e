"""A store that is full: a disk on which nothing fits any more, or a Redis that has reached its `maxmemory`.

CARAFE_TWIN=target/release/examples/twin python interop/full_store.py --store sqlite
CARAFE_TWIN=... python interop/full_store.py --store redis://127.0.0.1:7000

For SQLite it makes a small disk in memory, which no other process sees and which goes with this program; where the system
doesn't allow that, the last line says that nothing was tested. Two processes of the twin are under load until nothing
is taken any more, are killed, and go on by themselves once there is room.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from checks import Checks
from differ.twins import FRAMEWORKS, Server, on
from failover import ask
from keepalive import Answer, Client

SETTINGS = {"FLASK_SECRET_KEY": "a key that both processes have"}
CLIENTS = 16
#: The content of each session, so that the store is soon full.
BLOB = "x" * 6000
#: The disk's size in bytes, and what other files take of it at first.
SIZE, OTHERS = 12 << 20, 3 << 20
#: The time in which a twin has to write again.
PATIENCE = 20.0


class Disk:
    """A SQLite file on a small disk."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.folder], check=True)
        self.file, self.others = self.folder / "sessions.db", self.folder / "others"
        self.others.write_bytes(bytes(OTHERS))
        self.url = f"sqlite:{self.file}"

    async def left(self) -> int:
        """The number of free bytes."""
        stat = os.statvfs(self.folder)
        return stat.f_bavail * stat.f_frsize

    async def make_room(self) -> None:
        """Makes room by deleting the other files."""
        self.others.unlink()

    def what_is_wrong(self) -> str:
        """Returns the faults that SQLite finds in the file, and ends the disk."""
        connection = sqlite3.connect(self.file)
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        connection.close()
        subprocess.run(["umount", self.folder], check=True)
        self.folder.rmdir()
        return "" if verdict == "ok" else str(verdict)


class Memory:
    """A Redis that may take so much more than it has taken."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def info(self, name: str) -> int:
        """A number that it tells."""
        lines = (await ask(self.url, "INFO memory")).splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split(":")[1])

    async def limit(self, bytes_more: int) -> None:
        """Lets it take more."""
        for setting in ("maxmemory-policy noeviction", f"maxmemory {await self.info('used_memory') + bytes_more}"):
            await ask(self.url, f"CONFIG SET {setting}")

    async def left(self) -> int:
        """Sets the number of bytes that it may take."""
        return max(0, await self.info("maxmemory") - await self.info("used_memory"))

    async def make_room(self) -> None:
        """Makes room by raising the limit."""
        await self.limit(OTHERS)

    def what_is_wrong(self) -> str:
        """Nothing that it would tell."""
        return ""


@dataclass
class Known:
    """The known facts about a session."""

    cookie: str
    counted: int = 0
    asked: int = 0


@dataclass
class Story:
    """The writes that were acknowledged, and the others."""

    sessions: list[Known] = field(default_factory=list)
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def is_done(self, answer: Answer) -> bool:
        """Whether it was acknowledged; what is not has to be a 503 that changes no cookie."""
        failed = any(isinstance(result, dict) and result.get("error") for result in answer.results)
        if answer.status == 200 and not failed:
            return True
        if answer.status != 503 and not (failed and answer.results[-1] == {"error": "Store"}):
            self.wrong.append(f"neither done nor 503: {answer.status} {answer.body[:200]!r}")
        if answer.cookie is not None:
            self.wrong.append(f"{answer.status} with a cookie")
        self.refused += 1
        return False


class FullStore:
    """The twins on one store, and their clients."""

    def __init__(self, checks: Checks, twin: list[str], store: Disk | Memory) -> None:
        self.checks, self.store = checks, store
        self.command = [*twin, "--listen", "127.0.0.1:0", "--store", store.url]
        self.servers: list[Server] = []
        self.story = Story()

    def start(self) -> None:
        """Starts both twins, on different frameworks."""
        self.servers = [on(framework, self.command, SETTINGS) for framework in FRAMEWORKS]

    def stop(self) -> None:
        """Ends them."""
        for server in self.servers:
            server.stop()
        self.servers = []

    async def fill(self) -> None:
        """Logs in and counts until nothing has been taken for a while."""
        refused_in_a_row = 0

        async def visit(number: int) -> None:
            nonlocal refused_in_a_row
            async with Client(self.servers[number % 2].url) as client:
                while refused_in_a_row < CLIENTS * 20:
                    answer = await client.run([["login", f"user{len(self.story.sessions)}"], ["set", "blob", BLOB]])
                    if not self.story.is_done(answer):
                        refused_in_a_row += 1
                        continue
                    refused_in_a_row = 0
                    known = Known(answer.cookie or "")
                    self.story.sessions.append(known)
                    for _ in range(3):
                        await self.count(client, known)

        await asyncio.gather(*(visit(number) for number in range(CLIENTS)))

    async def count(self, client: Client, known: Known) -> bool:
        """Counts in a session; whether that was acknowledged."""
        known.asked += 1
        answer = await client.run([["incr", "n"]], known.cookie)
        done = self.story.is_done(answer)
        if done:
            if not known.counted < answer.results[0] <= known.asked:
                self.story.wrong.append(f"{answer.results[0]} after {known.counted} of {known.asked}")
            known.counted = known.asked = answer.results[0]
        return done

    async def check_sessions(self, when: str) -> None:
        """All that was acknowledged is there, for both twins."""
        wrong = []
        for server in self.servers:
            async with Client(server.url) as client:
                plain = await client.send("GET", "/plain")
                if plain.status != 200:
                    wrong.append(f"a route without a session: {plain.status}")
                for known in self.story.sessions:
                    answer = await client.run([["get", "n"], ["get", "blob"]], known.cookie)
                    number, blob = answer.results if answer.status == 200 else (-1, None)
                    if blob != BLOB or not known.counted <= (number or 0) <= known.asked:
                        wrong.append(f"{answer.status} {number} after {known.counted} of {known.asked}")
        name = f"{when}: {len(self.story.sessions)} sessions can be read, and nothing of them is missing"
        self.checks.check(name, not wrong, wrong[:5])

    async def check_endings(self) -> None:
        """The answer to a logout from a full store is true."""
        wrong, done = [], 0
        async with Client(self.servers[0].url) as client:
            for _ in range(20):
                known = self.story.sessions.pop()
                answer = await client.run([["logout"]], known.cookie)
                done += self.story.is_done(answer)
                left = await client.run([["get", "blob"]], known.cookie)
                if left.status != 200 or left.results != ([None] if answer.status == 200 else [BLOB]):
                    wrong.append(f"{answer.status}, then {left.status} {left.body[:50]!r}")
        print(f"       {done} of 20 logouts are done while it is full")
        self.checks.check("full: a logout is done if, and only if, the answer says so", not wrong, wrong[:5])

    async def check_writes(self) -> None:
        """Both twins write again, soon and without a restart."""
        for server in self.servers:
            recovered = True
            async with Client(server.url) as client:
                try:
                    async with asyncio.timeout(PATIENCE):
                        while not await self.count(client, self.story.sessions[0]):
                            await asyncio.sleep(0.05)
                        while not self.story.is_done(await client.run([["login", "late"], ["set", "blob", BLOB]])):
                            await asyncio.sleep(0.05)
                except TimeoutError:
                    recovered = False
            self.checks.check("once there is room sessions are written again", recovered)

    async def run(self) -> None:
        """All of it."""
        if isinstance(self.store, Memory):
            await self.store.limit(SIZE // 3)
        self.start()
        await self.fill()
        left = await self.store.left()
        print(f"       {len(self.story.sessions)} sessions, {self.story.refused} requests refused, {left} bytes left")
        self.checks.check("the store is full", self.story.refused > 0 and left < SIZE // 50, left)
        await self.check_sessions("full")
        for server in self.servers:
            os.kill(server.pid, signal.SIGKILL)
        self.stop()
        self.start()
        await self.check_sessions("killed while it was full")
        await self.check_endings()
        await self.store.make_room()
        await self.check_writes()
        before = len(self.story.sessions)
        await self.fill()
        more = len(self.story.sessions) - before
        self.checks.check("it is filled once more", more > 100, more)
        await self.check_sessions("full once more")
        self.stop()
        self.checks.check("what was not done was refused with 503", not self.story.wrong, self.story.wrong[:5])
        wrong = self.store.what_is_wrong()
        self.checks.check("the store is sound", not wrong, wrong)


def may_mount() -> list[str] | None:
    """The command that runs a program so that it may mount, and no other process sees the mount."""
    # Others than root need to be root of a namespace.
    for own in ([], ["--user", "--map-root-user"]):
        wrapper = ["unshare", *own, "--mount", "--"]
        try:
            mounts = subprocess.run([*wrapper, "mount", "-t", "tmpfs", "tmpfs", tempfile.gettempdir()], capture_output=True, check=False)
        except FileNotFoundError:
            return None
        if mounts.returncode == 0:
            return wrapper
    return None


def main() -> int:
    """Fills a store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="STORE", help="sqlite, or the URL of a Redis")
    parser.add_argument("--mounts", action="store_true", help="it may mount, and no other process sees the mount")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    if arguments.store == "sqlite" and not arguments.mounts:
        wrapper = may_mount()
        if wrapper is None:
            print("left out: a full disk, since nothing may be mounted here")
            return 0
        return subprocess.run([*wrapper, sys.executable, *sys.argv, "--mounts"], check=False).returncode
    checks = Checks()
    store = Disk() if arguments.store == "sqlite" else Memory(arguments.store)
    full = FullStore(checks, shlex.split(twin), store)
    try:
        asyncio.run(full.run())
    finally:
        full.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
