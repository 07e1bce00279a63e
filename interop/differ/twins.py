"""Starting and stopping the servers under test."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import silence


class StartFailure(Exception):
    """A server did not say that it listens."""


def inherited() -> dict[str, str]:
    """This process's environment without anything that the servers under test read."""
    ours = ("SECRET_KEY", "PORT")
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("FLASK_")}


#: The frameworks that can serve the twin.
FRAMEWORKS = ("axum", "actix")


def on(framework: str, command: Sequence[str], environment: dict[str, str]) -> Server:
    """A process of the twin on one of these. That on axum has PostgreSQL remember its statements, the other hasn't."""
    prepared = {"CARAFE_TWIN_PREPARED": "1"} if framework == "axum" else {}
    return Server([*command, "--server", framework], environment | prepared)


class Server:
    """A server in its own process, on a free loopback port, found by the line that it prints."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], patience: float = 20.0) -> None:
        """Starts `command` with no settings but those in `environment`."""
        self._log = tempfile.TemporaryFile()
        self._name = os.path.basename(command[0])
        # Flask's side logs requests with all that is in them.
        self._keys = None if command[0] == sys.executable else silence.keys_of(environment)
        try:
            self._process = subprocess.Popen(
                list(command),
                env=inherited() | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._log,
            )
        except OSError as error:
            raise StartFailure(str(error)) from error
        try:
            self.url = self._read_address(time.monotonic() + patience)
        except StartFailure:
            self.stop()
            raise

    def _read_address(self, deadline: float) -> str:
        assert self._process.stdout is not None
        printed = b""
        while b"\n" not in printed[printed.find(b"listening on ") :] or b"listening on " not in printed:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._process.stdout.fileno(), 4096) if ready else b""
            if not data:
                why = "took too long" if not ready else "ended"
                raise StartFailure(
                    f"{self._process.args!r} {why}; it said:\n{printed.decode(errors='replace')}{self.log()}"
                )
            printed += data
        self.printed = printed.decode(errors="replace")
        return self.printed.split("listening on ", 1)[1].split()[0]

    def log(self) -> str:
        """The end of what the server wrote to its standard error."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - 4000))
        return self._log.read().decode(errors="replace")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def stop(self) -> int:
        """Ends the server by SIGTERM and gives its exit status. What it wrote must show nothing secret."""
        try:
            return self._end()
        finally:
            if self._keys is not None:
                self._log.seek(0)
                silence.check(self._name, self._log.read(), self._keys)

    def _end(self) -> int:
        self._process.terminate()
        try:
            return self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()
