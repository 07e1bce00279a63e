"""The number of ended sessions that are back after a failover of Redis, whose replication is asynchronous.

CARAFE_TWIN=target/release/examples/twin python interop/failover.py --rounds 100 \
    --primary 'redis-server --port 7000' --replica 'redis-server --port 7001' \
    --primary-url redis://127.0.0.1:7000 --replica-url redis://127.0.0.1:7001

In each round, users log out one after the other; then the primary's machine is gone, and its replica takes over. What
the primary has sent arrives late at the replica, as over a network, and what is on the way when the machine goes is
lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from checks import Checks
from crashes import Killed
from differ.twins import Server
from keepalive import Client, Lost

SETTINGS = {"FLASK_SECRET_KEY": "a key that both processes have"}
SESSIONS = 300
CLIENTS = 16


class Network:
    """The way to a server: what a replica is sent takes `delay` seconds, until everything is cut."""

    def __init__(self, port: int, delay: float) -> None:
        self.port, self.delay = port, delay
        self.tasks: set[asyncio.Task[None]] = set()
        self.writers: list[asyncio.StreamWriter] = []

    async def start(self, port: int = 0) -> int:
        """The address of the server."""
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", port)
        return int(self.server.sockets[0].getsockname()[1])

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to the server."""
        self.writers.append(writer)
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return writer.close()
        self.writers.append(to_server)
        replica = asyncio.Event()
        for copy in (self.ask(reader, to_server, replica), self.answer(from_server, writer, replica)):
            task = asyncio.create_task(copy)
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replica: asyncio.Event) -> None:
        """Passes on what the server is told, also who it is that asks."""
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if b"REPLCONF" in data:
                    replica.set()
                self.write(writer, data)
        writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replica: asyncio.Event) -> None:
        """Passes on what the server says, in order, to a replica each piece so much later."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.delay and replica.is_set():
                    loop.call_later(self.delay, self.write, writer, data)
                else:
                    self.write(writer, data)
        loop.call_later(self.delay, writer.close)

    def write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Passes on one piece, if there still is a network."""
        if not writer.is_closing():
            writer.write(data)

    def cut(self) -> None:
        """Loses what is on the way."""
        self.server.close()
        for task in self.tasks:
            task.cancel()
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


async def ask(url: str, command: str) -> str:
    """Sends a command to a Redis server; what it says."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"{command}\r\n".encode())
    line = await reader.readline()
    text = line.decode()
    if line.startswith(b"$"):
        text = (await reader.readexactly(int(line[1:]))).decode()
    writer.close()
    if line.startswith(b"-"):
        raise RuntimeError(text)
    return text


async def replication(url: str) -> dict[str, str]:
    """A server's description of its replication."""
    lines = (await ask(url, "INFO replication")).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


@dataclass
class Tally:
    """The results of all rounds."""

    ended: int = 0
    back: int = 0
    rounds: int = 0
    rounds_with_loss: int = 0
    refused: int = 0


class Failover:
    """The servers and the users."""

    def __init__(self, arguments: argparse.Namespace, twin: list[str]) -> None:
        self.arguments, self.twin = arguments, twin
        self.random = random.Random(arguments.seed)
        self.tally = Tally()

    async def check_failover(self, before: Server, after: Server) -> None:
        """One failover."""
        arguments = self.arguments
        primary = Killed(shlex.split(arguments.primary), arguments.primary_url)
        replica = Killed(shlex.split(arguments.replica), arguments.replica_url)
        try:
            await primary.listens()
            await replica.listens()
            network = Network(urlsplit(arguments.primary_url).port or 0, arguments.delay_ms / 1000)
            await ask(arguments.replica_url, f"REPLICAOF 127.0.0.1 {await network.start()}")
            await self.in_step()
            cookies = await self.log_in(before)
            await self.in_step()
            stop = asyncio.Event()
            share = len(cookies) // CLIENTS
            users = [
                asyncio.create_task(self.log_out(before, cookies[n * share : (n + 1) * share], stop))
                for n in range(CLIENTS)
            ]
            # Requests that wait for the replica take turns.
            window = (0.3, 1.0) if arguments.wait else (0.01, 0.08)
            await asyncio.sleep(self.random.uniform(*window))
            network.cut()
            primary.kill()
            stop.set()
            ended = [cookie for part in await asyncio.gather(*users) for cookie in part]
            await ask(arguments.replica_url, "REPLICAOF NO ONE")
            back = [cookie for cookie in ended if await self.is_alive(after, cookie)]
        finally:
            primary.kill()
            replica.kill()
        self.tally.rounds += 1
        self.tally.ended += len(ended)
        self.tally.back += len(back)
        self.tally.rounds_with_loss += bool(back)

    async def in_step(self) -> None:
        """Waits until the replica has what the primary has."""
        async with asyncio.timeout(20):
            while True:
                primary, replica = [await replication(u) for u in (self.arguments.primary_url, self.arguments.replica_url)]
                if replica.get("master_link_status") == "up" and (
                    replica["slave_repl_offset"] == primary["master_repl_offset"]
                ):
                    return
                await asyncio.sleep(0.05)

    async def log_in(self, server: Server) -> list[str]:
        """Cookies of users who are logged in."""
        async with Client(server.url) as client:
            # The twin finds its store again.
            async with asyncio.timeout(20):
                while (await client.run([["set", "a", 1]])).status != 200:
                    await asyncio.sleep(0.05)
            answers = [await client.run([["login", f"user{number}"]]) for number in range(SESSIONS)]
        return [answer.cookie or "" for answer in answers]

    async def log_out(self, server: Server, cookies: list[str], stop: asyncio.Event) -> list[str]:
        """Logs users out; those who were told that they are."""
        ended = []
        async with Client(server.url) as client:
            with suppress(Lost):
                for cookie in cookies:
                    if stop.is_set():
                        break
                    if (await client.run([["logout"]], cookie)).status == 200:
                        ended.append(cookie)
                    else:
                        self.tally.refused += 1
        return ended

    async def is_alive(self, server: Server, cookie: str) -> bool:
        """Whether a cookie still is a user's."""
        async with Client(server.url) as client:
            async with asyncio.timeout(20):
                while (answer := await client.run([["sessions"]], cookie)).status != 200:
                    await asyncio.sleep(0.05)
        return answer.results[0] != []

    async def run(self) -> None:
        """All rounds."""
        replicas = {"CARAFE_TWIN_REPLICAS": "1"} if self.arguments.wait else {}
        before, after = [
            Server([*self.twin, "--listen", "127.0.0.1:0", "--store", url], SETTINGS | settings)
            for url, settings in ((self.arguments.primary_url, replicas), (self.arguments.replica_url, {}))
        ]
        try:
            for _ in range(self.arguments.rounds):
                await self.check_failover(before, after)
        finally:
            before.stop()
            after.stop()


def main() -> int:
    """Measures; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("primary", "replica"):
        parser.add_argument(f"--{name}", required=True, metavar="COMMAND", help="starts it, in the foreground")
        parser.add_argument(f"--{name}-url", required=True, metavar="URL")
    parser.add_argument("--rounds", type=int, default=100, metavar="N")
    parser.add_argument("--delay-ms", type=float, default=1, metavar="N", help="from the primary to the replica")
    parser.add_argument("--wait", action="store_true", help="the replica has to know of a logout; then none may be back")
    parser.add_argument("--expect-loss", action="store_true", help="fail if no session is back")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    failover = Failover(arguments, shlex.split(twin))
    asyncio.run(failover.run())
    tally, checks = failover.tally, Checks()
    print(
        f"       {'waiting for the' if arguments.wait else 'a'} replica {arguments.delay_ms:g} ms away: {tally.rounds} failovers, {tally.ended} sessions ended, "
        f"{tally.back} of them back, in {tally.rounds_with_loss} of the failovers; {tally.refused} refused"
    )
    checks.check("users logged out", tally.ended > tally.rounds * 5, tally)
    if arguments.expect_loss:
        checks.check("sessions that were ended are back", tally.back > 0, tally)
    if arguments.wait:
        checks.check("no session that was ended is back", tally.back == 0, tally)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
