"""The tutorial's application on Flask, the other side of `examples/login`: the same routes, texts and session.

SECRET_KEY=... python interop/login_app.py --listen 127.0.0.1:0
"""

from __future__ import annotations

import argparse
import os

from flask import Flask, redirect, render_template_string, request, session, url_for
from werkzeug.wrappers import Response

import wsgi_server

INDEX = """\
{% if username is not none -%}
<p>Logged in as {{ username }}</p> <a href="{{ url_for('logout') }}">click here to log out</a>
{%- else -%}
<p>You are not logged in</p> <a href="{{ url_for('login') }}">click here to log in</a>
{%- endif %}
"""
FORM = '<form method="post"><input name="username"> <button>Login</button></form>\n'


def create_app(secret_key: str) -> Flask:
    """The application as Flask's documentation has it."""
    app = Flask("login")
    app.secret_key = secret_key

    @app.get("/")
    def index() -> str:
        return render_template_string(INDEX, username=session.get("username"))

    @app.route("/login", methods=["GET", "POST"])
    def login() -> Response | str:
        if request.method == "POST":
            session["username"] = request.form["username"]
            return redirect(url_for("index"))
        return FORM

    @app.get("/logout")
    def logout() -> Response:
        session.pop("username", None)
        return redirect(url_for("index"))

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:5000", metavar="HOST:PORT")
    wsgi_server.serve(create_app(os.environ["SECRET_KEY"]), parser.parse_args().listen)
