"""A proxy between a service and its store, which can keep back what the store tells without being asked."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread

#: The commands of a client that listens: to Redis, and to PostgreSQL.
_ASKS_TO_BE_TOLD = (b"SUBSCRIBE", b"LISTEN ")


class Proxy:
    """Passes everything on to `server`, until `cut` is set: then connections that listen hear nothing more."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.cut = False
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Accepts no more connections; those that there are end with their ends."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                listens: list[bool] = []
                for ends in ((client, server, listens, True), (server, client, listens, False)):
                    Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, listens: list[bool], asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if asks and any(word in data for word in _ASKS_TO_BE_TOLD):
                    listens.append(True)
                if asks or not (self.cut and listens):
                    to.sendall(data)
        for end in (source, to):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
