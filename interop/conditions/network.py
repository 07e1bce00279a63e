"""A proxy between the twins and their server, which cuts, silences and delays connections."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class Network:
    """Passes on bytes from a port of its own to a server."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self.delay = 0.0
        self._silent = asyncio.Event()
        self._silent.set()
        self._down = False
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> str:
        """Listens; the server's URL by way of this proxy."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self._server = server
        host = f"{self._parts.username}@127.0.0.1" if self._parts.username else "127.0.0.1"
        return urlunsplit(self._parts._replace(netloc=f"{host}:{port}"))

    def cut(self) -> None:
        """Ends every connection, and refuses new ones until `restore`."""
        self._down = True
        for writer in self._writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Passes nothing on any more until `restore`, and ends nothing."""
        self._silent.clear()

    def restore(self) -> None:
        """Works again, without delay."""
        self._down = False
        self.delay = 0.0
        self._silent.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            return writer.transport.abort()
        # At the end of the program a connection's task is cancelled, which is no failure.
        with suppress(OSError, asyncio.CancelledError):
            to_reader, to_writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
            ends = {writer, to_writer}
            self._writers |= ends
            try:
                await asyncio.gather(self._pass(reader, to_writer), self._pass(to_reader, writer))
            finally:
                self._writers -= ends
                for end in ends:
                    end.close()
            return
        writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._silent.wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
        writer.close()
