"""Sessions of Flask-Session's in Redis, taken over by the package `carafe_sessions`.

    PYTHONPATH=target/xtask/pythonpath python interop/test_package_import.py --redis URL
"""

from __future__ import annotations

import argparse
import pickle
import sys
import threading
from typing import Any

import redis
from carafe_sessions.flask import SessionInterface
from checks import Checks
from flask import Flask, flash, get_flashed_messages, session
from flask_session.redis import RedisSessionInterface

KEY = "Vb7-2q_kXo9Zr4eMc1uY8nTgHs5wJd0aLpFiRxQ6"


def application(interface: Any, **config: Any) -> Flask:
    """An application with a few views."""
    app = Flask("tested")
    app.secret_key = KEY
    app.config.update(config)
    app.session_interface = interface(app)
    app.add_url_rule("/in", "in", lambda: session.update(_user_id="7", cart=[1, 2], t="x") or "in")
    app.add_url_rule("/flash", "flash", lambda: flash("hi", "info") or "ok")
    app.add_url_rule("/flashes", "flashes", lambda: get_flashed_messages(with_categories=True))
    app.add_url_rule("/items", "items", lambda: dict(session))
    app.add_url_rule("/count", "count", lambda: str(session.update_now("n", lambda n: (n or 0) + 1)))
    app.add_url_rule("/sessions", "sessions", lambda: str(len(session.sessions())))
    app.add_url_rule("/out", "out", lambda: str(session.pop("_user_id", None)))
    return app


def main() -> int:
    """Runs the checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", required=True, metavar="URL")
    url = parser.parse_args().redis
    client = redis.Redis.from_url(url)
    checks = Checks()
    for name, config in (("msgpack", {}), ("json", {"SESSION_SERIALIZATION_FORMAT": "json"}), ("signed", {"SESSION_USE_SIGNER": True})):
        options = {"serialization_format": "json"} if name == "json" else {"use_signer": True} if name == "signed" else {}
        old = application(lambda app: RedisSessionInterface(app=app, client=client, **options), **config)
        new = application(lambda app: SessionInterface(url, import_from="flask-session", import_client=client), **config)
        browser = old.test_client()
        browser.get("/in")
        browser.get("/flash")
        cookie = browser.get_cookie("session").value
        visitor = new.test_client()
        visitor.set_cookie("session", cookie)
        found = visitor.get("/items")
        expected = {"_permanent": True, "_user_id": "7", "cart": [1, 2], "t": "x", "_flashes": [["info", "hi"]]}
        checks.check(f"{name}: the session is taken over", found.json == expected, found.text)
        moved = visitor.get_cookie("session").value
        checks.check(f"{name}: the client gets a new cookie", moved != cookie and found.status_code == 200)
        checks.check(f"{name}: its user is logged in", visitor.get("/sessions").text == "1")
        checks.check(f"{name}: its messages are shown", visitor.get("/flashes").json == [["info", "hi"]])
        late = [new.test_client() for _ in range(8)]
        numbers: list[str] = []
        for other in late:
            other.set_cookie("session", cookie)
        threads = [threading.Thread(target=lambda c=other: numbers.append(c.get("/count").text)) for other in late]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        checks.check(f"{name}: requests under way find the new one", sorted(numbers) == list("12345678"), numbers)
        visitor.get("/out")
        other = new.test_client()
        other.set_cookie("session", cookie)
        checks.check(f"{name}: after a logout the old cookie is dead", other.get("/items").json == {}, other.get("/items").text)

    browser = old.test_client()
    racing = application(lambda app: SessionInterface(url, import_from="flask-session", import_client=client))
    client.set("session:" + "r" * 43, b'{"n":0}')
    numbers = []
    clients = [racing.test_client() for _ in range(16)]
    for one in clients:
        one.set_cookie("session", "r" * 43)
    threads = [threading.Thread(target=lambda c=one: numbers.append(c.get("/count").text)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checks.check("of many requests at once one takes the record over", sorted(map(int, numbers)) == list(range(1, 17)), numbers)

    class Harmful:
        def __reduce__(self) -> Any:
            return (checks.failed.append, ("pickle was read",))

    client.set("session:" + "p" * 43, pickle.dumps(Harmful()))
    thief = racing.test_client()
    thief.set_cookie("session", "p" * 43)
    checks.check("pickle is never read", thief.get("/items").json == {})
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
