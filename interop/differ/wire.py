"""Requests and answers as they travel, and a client that keeps one connection open.

The client writes the bytes itself: a test wants several Cookie lines and bytes that a polite client would not send.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import silence


@dataclass(frozen=True)
class Request:
    """One request. `ops` is tagged JSON, ready to be dumped; `body` replaces it where the JSON itself is wrong."""

    method: str
    path: str
    ops: tuple[Any, ...] | None = None
    body: bytes | None = None
    cookies: tuple[bytes, ...] = ()
    headers: tuple[bytes, ...] = ()

    def content(self) -> bytes:
        """The body of a POST, or what `?ops=` of a GET means: there it is the list alone."""
        if self.body is not None:
            return self.body
        if self.ops is None:
            return b""
        return json.dumps(list(self.ops) if self.method == "GET" else {"ops": list(self.ops)}).encode()

    def to_bytes(self, host: str) -> bytes:
        """The request as it is sent."""
        content = self.content()
        target = self.path
        if self.method == "GET":
            if content:
                target += "?ops=" + quote(content, safe="")
            content = b""
        lines = [f"{self.method} {target} HTTP/1.1\r\nHost: {host}\r\n".encode()]
        if self.method == "POST":
            lines.append(b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(content))
        lines += [line + b"\r\n" for line in self.headers]
        lines += [b"Cookie: " + cookie + b"\r\n" for cookie in self.cookies]
        return b"".join(lines) + b"\r\n" + content

    def to_json(self) -> dict[str, Any]:
        """For a report; `from_json` reads it again."""
        return {
            "method": self.method,
            "path": self.path,
            "ops": None if self.ops is None else list(self.ops),
            "body": None if self.body is None else self.body.decode("latin-1"),
            "cookies": [cookie.decode("latin-1") for cookie in self.cookies],
            "headers": [line.decode("latin-1") for line in self.headers],
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> Request:
        """The request of a report."""
        return Request(
            method=value["method"],
            path=value["path"],
            ops=None if value["ops"] is None else tuple(value["ops"]),
            body=None if value["body"] is None else value["body"].encode("latin-1"),
            cookies=tuple(cookie.encode("latin-1") for cookie in value["cookies"]),
            headers=tuple(line.encode("latin-1") for line in value.get("headers", ())),
        )


@dataclass(frozen=True)
class Answer:
    """The parts of an answer that are compared."""

    status: int
    set_cookie: tuple[bytes, ...]
    vary: bytes | None
    body: bytes


class Connection:
    """One persistent HTTP/1.1 connection, opened again when the server has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port, url
        self.host = f"{parts.hostname}:{parts.port}"
        self._address = (parts.hostname, parts.port)
        self._socket: socket.socket | None = None
        self._sent = b""

    def send(self, request: Request) -> None:
        """Sends a request; `receive` reads its answer."""
        self._sent = request.to_bytes(self.host)
        silence.note_cookies(*request.cookies)
        silence.note_values(value for operation in request.ops or () for value in operation[2:])
        if self._socket is None:
            self._open()
        assert self._socket is not None
        try:
            self._socket.sendall(self._sent)
        except ConnectionError:
            self._open()
            self._socket.sendall(self._sent)

    def receive(self) -> Answer:
        """The answer to what was sent. A connection found closed is opened anew and the request sent once more."""
        try:
            return self._read()
        except ConnectionError:
            self._open()
            assert self._socket is not None
            self._socket.sendall(self._sent)
            return self._read()

    def ask(self, request: Request) -> Answer:
        """Sends a request and reads its answer."""
        self.send(request)
        return self.receive()

    def close(self) -> None:
        """Closes the connection."""
        if self._socket is not None:
            self._reader.close()
            self._socket.close()
            self._socket = None

    def _open(self) -> None:
        self.close()
        self._socket = socket.create_connection(self._address, timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")

    def _read(self) -> Answer:
        status_line = self._reader.readline()
        if not status_line:
            raise ConnectionResetError("the server closed the connection")
        status = int(status_line.split(None, 2)[1])
        headers: list[tuple[bytes, bytes]] = []
        while (line := self._reader.readline()) not in (b"\r\n", b"\n", b""):
            name, _, value = line.rstrip(b"\r\n").partition(b":")
            headers.append((name.lower(), value.strip()))
        fields = dict(headers)
        if self._sent.startswith(b"HEAD "):
            body = b""
        elif fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = self._read_chunks()
        else:
            body = self._reader.read(int(fields.get(b"content-length", b"0")))
        if fields.get(b"connection", b"").lower() == b"close":
            self.close()
        vary = [value for name, value in headers if name == b"vary"]
        silence.note_cookies(*(value.partition(b";")[0] for name, value in headers if name == b"set-cookie"))
        return Answer(
            status=status,
            set_cookie=tuple(value for name, value in headers if name == b"set-cookie"),
            vary=b", ".join(vary) if vary else None,
            body=body,
        )

    def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(self._reader.readline().split(b";")[0], 16):
            chunks.append(self._reader.read(size))
            self._reader.readline()
        self._reader.readline()
        return b"".join(chunks)
