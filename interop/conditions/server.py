"""The servers of the stores: whether they answer, and what can be done to them."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import time
from contextlib import suppress
from urllib.parse import urlsplit

from crashes import PATIENCE, Killed, children_of
from failover import ask


class Victim(Killed):
    """A server of Redis or PostgreSQL that can be stopped, killed and made to refuse."""

    def __init__(self, command: list[str], url: str) -> None:
        self.url = url
        self.is_redis = urlsplit(url).scheme.startswith("redis")
        super().__init__(command, url)

    async def answers(self) -> bool:
        """Whether it accepts a login and answers."""
        with suppress(OSError, RuntimeError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(1):
                return "PONG" in await ask(self.url, "PING") if self.is_redis else await self._greets()
        return False

    async def _greets(self) -> bool:
        """Whether PostgreSQL asks for no more than a name; while it starts it answers with an error."""
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(_startup())
        first = await reader.read(1)
        writer.transport.abort()
        return first == b"R"

    async def ready(self) -> None:
        """Waits until it answers; starts it again if it has ended."""
        deadline = time.monotonic() + PATIENCE
        await self.listens()
        while not await self.answers():
            if time.monotonic() > deadline:
                raise TimeoutError("the server doesn't answer")
            await asyncio.sleep(0.02)

    def signal_all(self, number: signal.Signals) -> None:
        """Sends a signal to the server and to all of its processes."""
        pid = self._process.pid
        for process in [pid, *children_of(pid)]:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    async def redis(self, *commands: str) -> None:
        """Sends commands to Redis."""
        for command in commands:
            await ask(self.url, command)

    async def used_memory(self) -> int:
        """The number of bytes that Redis has taken."""
        lines = (await ask(self.url, "INFO memory")).splitlines()
        return int(next(line for line in lines if line.startswith("used_memory:")).split(":")[1])

    async def sql(self, statement: str) -> None:
        """Has PostgreSQL do something; the error that it gives is raised."""
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        # What a default of the database forbids, this connection may still do.
        writer.write(_startup(options="-c default_transaction_read_only=off"))
        await self._until_ready(reader)
        query = statement.encode() + b"\0"
        writer.write(b"Q" + struct.pack(">i", len(query) + 4) + query)
        await self._until_ready(reader)
        writer.close()

    @staticmethod
    async def _until_ready(reader: asyncio.StreamReader) -> None:
        """Reads messages up to the one that says that the next query may come."""
        error = None
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(struct.unpack(">i", head[1:])[0] - 4)
            if head[:1] == b"E":
                error = body.replace(b"\0", b" ").decode()
            if head[:1] == b"Z":
                if error is not None:
                    raise RuntimeError(error)
                return


def _startup(**parameters: str) -> bytes:
    """The first message of a client of PostgreSQL."""
    pairs = {"user": "postgres", "database": "postgres"} | parameters
    body = b"\0\x03\0\0" + b"".join(f"{name}\0{value}\0".encode() for name, value in pairs.items()) + b"\0"
    return struct.pack(">i", len(body) + 4) + body
