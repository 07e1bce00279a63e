"""Starts nginx with gunicorn (Flask) and Carafe behind it, all on loopback, in a directory of their own."""

from __future__ import annotations

import grp
import itertools
import json
import os
import pwd
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import gunicorn.config

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import silence  # noqa: E402

HERE = Path(__file__).resolve().parent
NGINX_CONF = HERE.parents[1] / "examples" / "two-stacks" / "nginx.conf"

# A cache without regard to Vary: what the test must be able to notice.
CARELESS = """\
    proxy_cache_path careless keys_zone=careless:1m;
    server {
        location = /careless/private {
            proxy_cache careless;
            proxy_ignore_headers Vary;
            proxy_pass http://flask/py/private;
        }
"""


class Missing(Exception):
    """A program that the test needs is not installed."""


def program(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"):
            return path
    raise Missing(f"not installed: {' or '.join(names)}")


#: Below those that the system gives to outgoing connections: while a server is down, nothing else gets its port.
_PORTS = itertools.cycle(random.sample(range(30_000, 32_700), 2_700))


def free_port() -> int:
    """A port that nothing listens on, and that this process has not given before."""
    for port in itertools.islice(_PORTS, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise Missing("there is no free port")


class Process:
    """A server on a known port. With its keys given, what it writes must show nothing secret."""

    def __init__(
        self, command: Sequence[str], port: int, log: Path, keys: Sequence[str] | None = None, **how: object
    ) -> None:
        """Starts it and waits until it accepts connections."""
        self.command = list(command)
        self._log, self._keys = log, keys
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **how
            )  # type: ignore[call-overload]
        deadline = time.monotonic() + 20
        while not _accepts(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.command} did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it by SIGTERM and waits."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._keys is not None:
            silence.check(os.path.basename(self.command[0]), self._log.read_bytes(), self._keys)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Origin:
    """nginx and the two stacks. `restart` gives one of them other keys while the other one runs on."""

    def __init__(
        self, carafe: Sequence[str], key: str, flask: str = "two_stacks", settings: Mapping[str, str] | None = None
    ) -> None:
        """Starts everything; `carafe` is the command of the example, `flask` the module of the other half."""
        self._flask, self._settings = flask, dict(settings or {})
        self._carafe = list(carafe)
        self._ports = {"py": free_port(), "rs": free_port()}
        self._processes: dict[str, Process] = {}
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        nginx = program("nginx")
        # As root, nginx gives up its rights: it runs in /tmp, since other temporary directories may be closed to it.
        self._as_root = os.geteuid() == 0
        self.directory = Path(tempfile.mkdtemp(prefix="two-stacks-", dir="/tmp" if self._as_root else None))
        try:
            for stack in ("py", "rs"):
                self.restart(stack, key)
            self._processes["nginx"] = self._start_nginx(nginx, port)
        except BaseException:
            self.stop()
            raise

    def _start_nginx(self, nginx: str, port: int) -> Process:
        home = self.directory / "nginx"
        home.mkdir()
        text = NGINX_CONF.read_text()
        for example, actual in ((8080, port), (5002, self._ports["py"]), (5001, self._ports["rs"])):
            text = text.replace(f"127.0.0.1:{example}", f"127.0.0.1:{actual}")
        text = text.replace("    server {\n", CARELESS, 1)
        (home / "nginx.conf").write_text(text)
        how: dict[str, object] = {}
        if self._as_root:
            account = pwd.getpwnam("nobody")
            self.directory.chmod(0o755)
            for path in (home, home / "nginx.conf"):
                os.chown(path, account.pw_uid, account.pw_gid)
            how = {"user": account.pw_uid, "group": grp.getgrgid(account.pw_gid).gr_gid, "extra_groups": []}
        command = [nginx, "-e", str(home / "error.log"), "-p", str(home), "-c", str(home / "nginx.conf")]
        return Process(command, port, self.directory / "nginx.log", cwd=home, **how)

    def restart(self, stack: str, key: str, fallbacks: Sequence[str] = ()) -> None:
        """Starts the stack `py` or `rs` with these keys, ending it first where it runs."""
        if stack in self._processes:
            self._processes.pop(stack).stop()
        address = f"127.0.0.1:{self._ports[stack]}"
        if stack == "py":
            command = [sys.executable, "-m", "gunicorn", "--bind", address, "--workers", "2", "--chdir", str(HERE)]
            command += ["--no-control-socket"] if hasattr(gunicorn.config, "ControlSocketDisable") else []
            command.append(f'{self._flask}:create_app("/py")')
        else:
            command = [*self._carafe, "--listen", address, "--prefix", "/rs"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
        environment |= {"FLASK_SECRET_KEY": key, "FLASK_SECRET_KEY_FALLBACKS": json.dumps(list(fallbacks))}
        environment |= self._settings
        log = self.directory / f"{stack}.log"
        keys = [key, *fallbacks] if stack == "rs" else None
        self._processes[stack] = Process(command, self._ports[stack], log, keys, env=environment)

    def stop(self) -> None:
        """Ends everything and removes its directory."""
        for process in self._processes.values():
            process.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
