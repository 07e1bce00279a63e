"""A small threaded WSGI server: keep-alive, one thread for each connection, loopback tests only.

Werkzeug's development server closes the connection after every answer and joins several Cookie lines with a comma.
Here a connection stays open, and Cookie lines are joined as HTTP/2 does it (RFC 9113, 8.2.3).
"""

from __future__ import annotations

import io
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import FrameType
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

MAX_LINE = 256 * 1024
MAX_BODY = 64 * 1024 * 1024

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class BadRequest(Exception):
    """The bytes are no HTTP/1.1 request that this server reads."""


class Stop(BaseException):
    """SIGTERM or SIGINT came."""


def serve(app: WsgiApp, address: str) -> None:
    """Serves `app` at `address` (HOST:PORT, port 0 for any) until SIGTERM; open requests are answered first."""
    host, _, port = address.rpartition(":")
    listener = socket.create_server((host, int(port)), backlog=256)
    bound = "{}:{}".format(*listener.getsockname()[:2])
    connections: dict[socket.socket, threading.Thread] = {}

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Stop

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"listening on http://{bound}", flush=True)
    try:
        while True:
            connection, _ = listener.accept()
            thread = threading.Thread(target=_serve_connection, args=(app, connection, connections, bound))
            connections[connection] = thread
            thread.start()
    except Stop:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener.close()
    for connection, thread in list(connections.items()):
        try:
            connection.shutdown(socket.SHUT_RD)  # an idle connection ends; a busy one still writes its answer
        except OSError:
            pass  # it was closed meanwhile
        thread.join(timeout=10)


def _serve_connection(
    app: WsgiApp, connection: socket.socket, connections: dict[socket.socket, threading.Thread], bound: str
) -> None:
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as reader:
            keep_alive = True
            while keep_alive:
                try:
                    environ = _read_request(reader, bound)
                except BadRequest as error:
                    connection.sendall(_plain_answer(400, str(error)))
                    return
                if environ is None:
                    return
                keep_alive = environ["carafe.keep_alive"]
                connection.sendall(_answer(app, environ))
    except ConnectionError:
        pass  # the client left
    finally:
        connections.pop(connection, None)


def _read_request(reader: BinaryIO, bound: str) -> dict[str, Any] | None:
    line = reader.readline(MAX_LINE)
    if not line.strip():
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3:
        raise BadRequest("bad request line")
    method, target, version = parts
    path, _, query = target.partition("?")
    host, _, port = bound.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": version,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    while (line := reader.readline(MAX_LINE)) not in (b"\r\n", b"\n"):
        name, colon, value = line.rstrip(b"\r\n").partition(b":")
        if not colon or not line.endswith(b"\n"):
            raise BadRequest("bad header line")
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        text = value.strip(b" \t").decode("latin-1")
        if key in environ:
            text = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + text
        environ[key] = text
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise BadRequest("bodies are sent with Content-Length here")
    length = environ.get("CONTENT_LENGTH", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        raise BadRequest("bad Content-Length")
    environ["wsgi.input"] = io.BytesIO(reader.read(int(length)))
    connection = environ.get("HTTP_CONNECTION", "").lower()
    environ["carafe.keep_alive"] = connection != "close" if version == "HTTP/1.1" else connection == "keep-alive"
    return environ


def _answer(app: WsgiApp, environ: dict[str, Any]) -> bytes:
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        started[:] = [status, headers]
        return lambda _data: None

    body = app(environ, start_response)
    try:
        content = b"".join(body)
    finally:
        if close := getattr(body, "close", None):
            close()
    status, headers = started
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{n}: {v}" for n, v in headers if n.lower() not in ("content-length", "connection")),
    ]
    bodiless = environ["REQUEST_METHOD"] == "HEAD" or status[:3] in ("204", "304")
    if not status.startswith("204"):
        lines.append(f"Content-Length: {len(content)}")
    lines.append("Connection: " + ("keep-alive" if environ["carafe.keep_alive"] else "close"))
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if bodiless else head + content


def _plain_answer(status: int, text: str) -> bytes:
    body = text.encode() + b"\n"
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
