"""Flask-Login in the twin: its operations and pages, with a user for each id of digits."""

from __future__ import annotations

from typing import Any

import flask_login
from flask import Flask

import operations


class User(flask_login.UserMixin):
    """A user, who is nothing but an id."""

    def __init__(self, user_id: Any) -> None:
        self.id = user_id


def load_user(user_id: Any) -> User | None:
    """The user of an id, if that is made of digits."""
    text = str(user_id)
    return User(user_id) if text.isascii() and text.isdigit() else None


def install(app: Flask, protection: str) -> None:
    """Adds Flask-Login with this session protection, its operations and two views that are for users."""
    manager = flask_login.LoginManager(app)
    manager.session_protection = None if protection == "none" else protection
    manager.user_loader(load_user)
    operations.SIGNATURES.update(SIGNATURES)
    for name, operation in OPERATIONS.items():
        setattr(operations.Operations, f"op_{name}", operation)

    @app.get("/fl_protected")
    @flask_login.login_required
    def fl_protected() -> str:
        return "ok"

    @app.get("/fl_fresh")
    @flask_login.fresh_login_required
    def fl_fresh() -> str:
        return "ok"


def _login(_self: operations.Operations, user_id: str | int, remember: bool) -> None:
    flask_login.login_user(User(user_id), remember=remember)


def _logout(_self: operations.Operations) -> None:
    flask_login.logout_user()


def _confirm(_self: operations.Operations) -> None:
    flask_login.confirm_login()


def _user(_self: operations.Operations) -> dict[str, Any]:
    user = flask_login.current_user
    user_id = user.get_id() if user.is_authenticated else None
    return {"id": user_id, "fresh": bool(flask_login.login_fresh())}


OPERATIONS = {"fl_login": _login, "fl_logout": _logout, "fl_confirm": _confirm, "fl_user": _user}
SIGNATURES: dict[str, Any] = {
    "fl_login": (2, [lambda value: type(value) in (str, int), lambda value: type(value) is bool]),
    "fl_logout": (0, []),
    "fl_confirm": (0, []),
    "fl_user": (0, []),
}
