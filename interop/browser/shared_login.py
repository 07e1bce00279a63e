"""The Flask half of a site that shares its logins: Flask-Login and Flask-WTF. `examples/shared-login` is the other half.

    FLASK_SECRET_KEY=... gunicorn --chdir interop/browser 'shared_login:create_app("/py")'

Settings come from the environment under Flask's names, `FLASK_SESSION_PROTECTION` and `FLASK_REMEMBER_COOKIE_...` among
them. A user is an id of digits, who needs no password.

| Route | Answer |
|---|---|
| `GET /` | "Nobody" and a form to log in; or "User ID, fresh" (or "not fresh") and the forms to confirm and to log out |
| `POST /login` | logs the `username` in, remembers it with `remember`, makes the session permanent with `permanent` |
| `POST /confirm`, `POST /logout` | `confirm_login()`, `logout_user()` |
| `GET /account` | a page for users: 401 for others |
"""

from __future__ import annotations

import flask_login
from flask import Blueprint, Flask, abort, redirect, render_template_string, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

PAGE = """<!doctype html><title>Shared login</title>
{% macro form(action) %}<form method="post" action="{{ url_for('.' + action) }}">
<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">{{ caller() }}<button id="{{ action }}">{{ action }}</button></form>{% endmacro %}
{% if current_user.is_authenticated %}<p>User {{ current_user.id }}, {{ "fresh" if fresh else "not fresh" }}</p>
{% call form("confirm") %}{% endcall %}{% call form("logout") %}{% endcall %}
{% else %}<p>Nobody</p>{% call form("login") %}<input name="username"><input name="remember" type="checkbox"><input
name="permanent" type="checkbox">{% endcall %}{% endif %}"""

pages = Blueprint("pages", __name__)


class User(flask_login.UserMixin):
    """A user, who is nothing but an id."""

    def __init__(self, user_id: str) -> None:
        self.id = user_id


def load_user(user_id: str) -> User | None:
    """The user of an id of digits."""
    return User(user_id) if user_id.isascii() and user_id.isdigit() else None


@pages.get("/")
def index() -> str:
    authenticated = flask_login.current_user.is_authenticated
    return render_template_string(PAGE, fresh=authenticated and flask_login.login_fresh())


@pages.post("/login")
def login() -> Response:
    user = load_user(request.form["username"]) or abort(403)
    session.permanent = "permanent" in request.form
    flask_login.login_user(user, remember="remember" in request.form)
    return redirect(url_for(".index"))


@pages.post("/confirm")
@flask_login.login_required
def confirm() -> Response:
    flask_login.confirm_login()
    return redirect(url_for(".index"))


@pages.post("/logout")
def logout() -> Response:
    flask_login.logout_user()
    return redirect(url_for(".index"))


@pages.get("/account")
@flask_login.login_required
def account() -> str:
    return f"The account of {flask_login.current_user.id}"


def create_app(prefix: str) -> Flask:
    """The application under `prefix`."""
    app = Flask(__name__)
    app.config.from_prefixed_env()
    flask_login.LoginManager(app).user_loader(load_user)
    CSRFProtect(app)
    app.register_blueprint(pages, url_prefix=prefix)
    return app
