"""The processor time of opening and saving a session: Flask's own, the package `carafe_sessions`, and Flask-Session.

    PYTHONPATH=target/xtask/wheel python interop/package_costs.py [--redis URL] [--rounds N]

Each round opens the session of a request, reads one key of it or changes one, and saves it, without a web server around
it. The least time of several rounds counts, in microseconds: the median of its calls, or the 99th percentile of the time on
the clock, which has the wait for the store in it. Use a build with optimisation. Flask-Session takes part
where it is installed and a Redis server is named.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from carafe_sessions.flask import SessionInterface
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

KEY = "Vb7-2q_kXo9Zr4eMc1uY8nTgHs5wJd0aLpFiRxQ6"
CALLS = 300


def content(size: int) -> dict[str, Any]:
    """A session whose JSON has about so many bytes."""
    session: dict[str, Any] = {"username": "ada"}
    while len(str(session)) < size:
        number = len(session)
        session[f"item{number}"] = {"name": f"pear no. {number}", "count": number, "price": 1.25, "tags": ["a", "b"]}
    return session


def flask_session(url: str) -> Any:
    """Flask-Session's interface on Redis; `None` where it is not installed."""
    try:
        import redis
        from flask_session.redis import RedisSessionInterface
    except ImportError:
        return None
    return lambda app: RedisSessionInterface(app=app, client=redis.Redis.from_url(url))


def measured(make: Callable[[Flask], Any], size: int, write: bool, rounds: int) -> tuple[float, float]:
    """Microseconds of one session, the least of the rounds: the median of processor time, and of time the 99th percentile."""
    app = Flask("costs")
    app.secret_key = KEY
    app.session_interface = make(app)
    cookie = one(app, "", lambda session: session.update(content(size)))[1]
    medians, slowest = [], []
    for _ in range(rounds):

        def visit(session: Any) -> None:
            if write:
                session["n"] = random.random()
            else:
                _ = session["username"]

        calls = [one(app, cookie, visit)[0] for _ in range(CALLS)]
        medians.append(statistics.median(spent for spent, _ in calls))
        slowest.append(statistics.quantiles((passed for _, passed in calls), n=100)[-1])
    return min(medians) * 1e6, min(slowest) * 1e6


def one(app: Flask, cookie: str, visit: Callable[[Any], None]) -> tuple[tuple[float, float], str]:
    """A session opened, visited and saved: seconds of processor time and of time, and the cookie that was set."""
    context = app.test_request_context(headers={"Cookie": cookie} if cookie else {})
    response = app.response_class("ok")
    with app.app_context():
        began, started = time.perf_counter(), time.process_time()
        session: Any = app.session_interface.open_session(app, context.request)
        session.accessed = True
        visit(session)
        app.session_interface.save_session(app, session, response)
        spent, passed = time.process_time() - started, time.perf_counter() - began
    return (spent, passed), response.headers.get("Set-Cookie", "").split(";")[0]


def main() -> int:
    """Prints the table; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", default="", metavar="URL")
    parser.add_argument("--rounds", type=int, default=20, metavar="N")
    arguments = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    kinds: dict[str, Callable[[Flask], Any] | None] = {
        "Flask, in cookies": lambda app: SecureCookieSessionInterface(),
        "here, in signed cookies": lambda app: SessionInterface(),
        "here, in sealed cookies": lambda app: SessionInterface(sealed=True),
        "here, in memory": lambda app: SessionInterface("memory:"),
        "here, in SQLite": lambda app: SessionInterface(f"sqlite:{folder.name}/costs.db"),
    }
    if arguments.redis:
        kinds["here, in Redis"] = lambda app: SessionInterface(arguments.redis)
        kinds["Flask-Session, in Redis"] = flask_session(arguments.redis)
    sizes = (20, 325, 2375)
    print("| read / write | " + " | ".join(f"{size} bytes" for size in sizes) + " | p99 at 325 bytes |")
    print("|---|" + "--:|" * (len(sizes) + 1))
    for name, make in kinds.items():
        if make is not None:
            costs = [[measured(make, size, write, arguments.rounds) for write in (False, True)] for size in sizes]
            cells = [" / ".join(f"{cost:.0f}" for cost, _ in both) for both in costs]
            cells.append(" / ".join(f"{slowest:.0f}" for _, slowest in costs[1]))
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    folder.cleanup()
    return 0


if __name__ == "__main__":
    sys.exit(main())
