"""An example on a port of its own, and another site that means no good."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType

from origin import Process, free_port


class Site:
    """The example on a port of its own."""

    def __init__(self, command: Sequence[str], *options: str, port: int = 0, key: str = "") -> None:
        port = port or free_port()
        self.url = f"http://localhost:{port}"
        self._log = tempfile.TemporaryDirectory(prefix="accounts-")
        environment = {name: value for name, value in os.environ.items() if not name.endswith("SECRET_KEY")}
        environment |= {"SECRET_KEY": key} if key else {}
        command = [*command, "--listen", f"127.0.0.1:{port}", *options]
        self._process = Process(command, port, Path(self._log.name) / "log", [key] if key else [], env=environment)

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.stop()
        self._log.cleanup()


class Elsewhere:
    """Another site, whose pages send a form to wherever their query says, as soon as they are loaded; one without does nothing."""

    def __init__(self) -> None:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                to = self.path.partition("?")[2]
                form = f'<form method="post" action="{to}"><input name="end" value="all"></form>'
                html = form + "<script>document.forms[0].submit()</script>" if to else "nothing"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(f"<!doctype html><body>{html}".encode())

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
