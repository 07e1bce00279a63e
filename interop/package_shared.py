"""One store, used in turn by Flask on the package `carafe_sessions` and by the twin on axum, beside real Flask.

    CARAFE_TWIN=target/debug/examples/twin PYTHONPATH=target/xtask/pythonpath \\
        python interop/package_shared.py --store sqlite:/tmp/sessions.db --requests 1000 --seed 1

Each client sends its random operations to real Flask, with a signed cookie of its own, and to one of the two others,
with one cookie for both. Statuses and results must be alike: what one stack has stored, the other one reads.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import sys
from contextlib import ExitStack
from dataclasses import dataclass

from differ.compare import split
from differ.configurations import find
from differ.generate import Generator
from differ.twins import Server
from differ.wire import Answer, Connection, Request
from package_races import FLASK

CLIENTS = 4
#: Its size would end in another limit: that of a record, or none.
LARGEST = 3000


@dataclass
class Jar:
    """A client's cookies: real Flask's, and that of the two others."""

    flask: bytes | None = None
    shared: bytes | None = None


class Shared:
    """The three servers."""

    def __init__(self, flask: str, others: list[str], seed: int) -> None:
        self.flask = Connection(flask)
        self.others = [Connection(url) for url in others]
        self.rng = random.Random(seed)
        self.generator = Generator(find("default", seed), 0, self.rng)
        self.jars = [Jar() for _ in range(CLIENTS)]
        self.disagreements = 0

    def exchange(self) -> None:
        """A random request of one client, to real Flask and to one of the others."""
        jar = self.rng.choice(self.jars)
        self.generator.session = {}
        ops = tuple(self.operation() for _ in range(self.rng.choice([1, 1, 2, 3, 5])))
        expected = self.flask.ask(Request("POST", "/op", ops=ops, cookies=cookies(jar.flask)))
        at = self.rng.randrange(len(self.others))
        answer = self.others[at].ask(Request("POST", "/op", ops=ops, cookies=cookies(jar.shared)))
        if (answer.status, results(answer)) != (expected.status, results(expected)):
            self.disagreements += 1
            print(f"DISAGREEMENT of {['the package', 'axum'][at]}\n  ops {json.dumps(ops)[:1000]}")
            print(f"  Flask  {expected.status} {expected.body[:1000]!r}\n  other  {answer.status} {answer.body[:1000]!r}")
        jar.flask, jar.shared = carried(jar.flask, expected), carried(jar.shared, answer)

    def operation(self) -> list[object]:
        """An operation that Flask and the others have a common answer to."""
        while True:
            operation = self.generator.operation()
            text = json.dumps(operation)
            # Flask's own messages alone: of others there is a documented difference.
            if "_flashes" in text or "_carafe" in text or len(text) > LARGEST:
                continue
            # A function that changes a value can't tell null from nothing, as Flask's `incr` does.
            return [*operation[:1], "counted"] if operation[0] == "incr" else operation


def cookies(value: bytes | None) -> tuple[bytes, ...]:
    return () if value is None else (b"session=" + value,)


def carried(jar: bytes | None, answer: Answer) -> bytes | None:
    """The cookie that a client holds after an answer."""
    for cookie in map(split, answer.set_cookie):
        if cookie.name == b"session":
            return cookie.value or None
    return jar


def results(answer: Answer) -> str:
    """The answer, in one spelling."""
    return repr(json.loads(answer.body)) if answer.status < 400 else ""


def main() -> int:
    """Compares; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="URL")
    parser.add_argument("--requests", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    arguments = parser.parse_args()
    twin = shlex.split(os.environ.get("CARAFE_TWIN", ""))
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    settings = find("default", 0).environment() | {"FLASK_SECRET_KEY": "a key that all of them have"}
    listen = ["--listen", "127.0.0.1:0"]
    store = [*listen, "--store", arguments.store]
    with ExitStack() as running:
        servers = [Server(command, settings) for command in ([*FLASK, *listen], [*FLASK, *store], [*twin, *store])]
        for server in servers:
            running.callback(server.stop)
        shared = Shared(servers[0].url, [server.url for server in servers[1:]], arguments.seed)
        for _ in range(arguments.requests):
            shared.exchange()
            if shared.disagreements > 5:
                break
    print(f"{arguments.requests} requests on a shared store, {shared.disagreements} disagreements")
    return 1 if shared.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
