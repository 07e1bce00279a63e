"""A small Flask application on the package `carafe_sessions`, for gunicorn: settings come from the environment.

`CARAFE_STORE` is the store's URL, and `FLASK_SECRET_KEY` the key. With `CARAFE_USE_EARLY=1` the store is used before
gunicorn forks.
"""

from __future__ import annotations

import os
import time

from carafe_sessions.flask import SessionInterface
from flask import Flask, flash, get_flashed_messages, request, session

app = Flask("package_app")
app.config.from_prefixed_env()
app.session_interface = SessionInterface(os.environ["CARAFE_STORE"], store_timeout=1.0)


@app.get("/plain")
def plain() -> str:
    """Never looks at the session."""
    return "ok"


@app.get("/process")
def process() -> str:
    """The worker that answers."""
    return str(os.getpid())


@app.get("/count")
def count() -> str:
    """Counts, and no two requests get the same number."""
    return str(session.update_now("n", lambda n: (n or 0) + 1))


@app.get("/login/<user>")
def login(user: str) -> str:
    """What Flask-Login does."""
    session["_user_id"] = user
    return "in"


@app.get("/logout")
def logout() -> str:
    """What Flask-Login does."""
    session.pop("_user_id", None)
    return "out"


@app.get("/whoami")
def whoami() -> str:
    """Reads the session, slowly where told to, and writes to it where told to."""
    user = str(session.get("_user_id"))
    time.sleep(float(request.args.get("sleep", 0)))
    if "write" in request.args:
        session[request.args["write"]] = True
    return user


@app.get("/flash/<message>")
def add(message: str) -> str:
    """Leaves a message for the next page."""
    flash(message)
    return "ok"


@app.get("/flashes")
def flashes() -> list[str]:
    """Shows the messages."""
    return get_flashed_messages()


@app.get("/items")
def items() -> dict[str, object]:
    """All of the session."""
    return dict(session)


if os.environ.get("CARAFE_USE_EARLY") == "1":
    client = app.test_client()
    assert client.get("/count").text == "1", "the store can't be used before the fork"
