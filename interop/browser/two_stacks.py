"""The Flask half of two stacks behind one origin. `examples/two-stacks` is the other half, to the same contract.

    FLASK_SECRET_KEY=... python interop/browser/two_stacks.py --listen 127.0.0.1:0 --prefix /py
    FLASK_SECRET_KEY=... gunicorn --chdir interop/browser 'two_stacks:create_app("/py")'

Every route lies under the prefix; the session's cookie is Flask's default one (name `session`, path `/`), so that both
halves share it. Settings, `SECRET_KEY_FALLBACKS` among them, come from the environment under Flask's names (`FLASK_*`).
`listening on http://ADDRESS` is printed once it is ready, and SIGTERM ends it.

| Route | Answer |
|---|---|
| `GET /` | "You are not logged in", link "click here to log in"; or "Logged in as NAME", link "click here to log out" |
| `GET /login`, `POST /login` | a form with the field `username`; stores it as `username` and redirects to `/` |
| `GET /logout` | removes `username` and redirects to `/` |
| `GET /flash`, `POST /flash` | a form with the fields `message` and `category`; flashes it (category `message` where the field is empty or missing) and redirects to `/`, which shows no messages |
| `GET /messages` | shows the flashed messages: `<li class="CATEGORY">MESSAGE</li>` each, or "No messages" |
| `POST /remember` | `session.permanent = True`, redirects to `/` |
| `GET /private` | "This page is for NAME" (or "nobody"), with `Cache-Control: public, max-age=60`: what keeps it private is `Vary` |

Redirects and links go to the same prefix. Names and messages are HTML-escaped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

# Both halves render the same files.
TEMPLATES = Path(__file__).resolve().parents[2] / "examples" / "two-stacks" / "templates"

pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> str:
    return render_template("index.html")


@pages.route("/login", methods=["GET", "POST"])
def login() -> AnyResponse | str:
    if request.method == "POST":
        session["username"] = request.form["username"]
        return redirect(url_for(".index"))
    return render_template("login.html")


@pages.get("/logout")
def logout() -> AnyResponse:
    session.pop("username", None)
    return redirect(url_for(".index"))


@pages.route("/flash", methods=["GET", "POST"])
def flash_message() -> AnyResponse | str:
    if request.method == "POST":
        flash(request.form["message"], request.form.get("category") or "message")
        return redirect(url_for(".index"))
    return render_template("flash.html")


@pages.get("/messages")
def messages() -> str:
    return render_template("messages.html")


@pages.post("/remember")
def remember() -> AnyResponse:
    session.permanent = True
    return redirect(url_for(".index"))


@pages.get("/private")
def private() -> Response:
    return Response(render_template("private.html"), headers={"Cache-Control": "public, max-age=60"})


def create_app(prefix: str) -> Flask:
    """The application under `prefix`."""
    app = Flask(__name__, template_folder=str(TEMPLATES))
    app.config.from_prefixed_env()
    app.register_blueprint(pages, url_prefix=prefix)
    return app


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import wsgi_server

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:5002", metavar="HOST:PORT")
    parser.add_argument("--prefix", default="/py", metavar="/PREFIX")
    arguments = parser.parse_args()
    wsgi_server.serve(create_app(arguments.prefix), arguments.listen)
