"""A small asynchronous client of the twin: many of them, each with one connection that it keeps."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import silence


class Lost(Exception):
    """The connection ended before the answer came: what was asked may have been done, or not."""


@dataclass(frozen=True)
class Answer:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def results(self) -> list[Any]:
        """Of each operation, what it gave."""
        return json.loads(self.body)["results"] if self.status == 200 else []

    @property
    def cookie(self) -> str | None:
        """The cookie that a browser would send from now on; empty if the cookie was removed."""
        line = self.headers.get("set-cookie")
        if line is None:
            return None
        pair = line.split(";")[0]
        return "" if pair.endswith("=") else pair


class Client:
    """One connection, opened when it's needed."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        assert address.hostname and address.port
        self._address = address.hostname, address.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._noted_cookie = self._noted_body = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def run(self, ops: list[Any], cookie: str = "") -> Answer:
        """Runs operations of the twin. From now on no server may write to its log what they set."""
        body = json.dumps({"ops": ops})
        # One after the other may be the same, as with cookies.
        if body != self._noted_body:
            silence.note_values(value for op in ops for value in (op[1:] if op[0] == "login" else op[2:]))
            self._noted_body = body
        return await self.send("POST", "/op", cookie, body)

    async def send(self, method: str, path: str, cookie: str = "", body: str = "") -> Answer:
        """Sends a request and waits for its answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: t\r\nContent-Length: {len(body)}\r\n"
        head += f"Cookie: {cookie}\r\n" if cookie else ""
        self._note(cookie)
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._address)
            reader, writer = self._streams
            writer.write(f"{head}\r\n{body}".encode())
            answer = await self._read(reader)
            self._note(answer.cookie or "")
            return answer
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Lost from error
        except asyncio.CancelledError:
            self.close()
            raise

    def _note(self, cookie: str) -> None:
        if cookie != self._noted_cookie:
            silence.note_cookies(cookie.encode())
            self._noted_cookie = cookie

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers: dict[str, str] = {}
        for line in filter(None, head[1:]):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        return Answer(int(head[0].split()[1]), headers, await reader.readexactly(length))
