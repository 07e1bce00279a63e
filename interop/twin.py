"""The Flask side of the twin: one contract, served by real Flask here and by Carafe in `examples/twin`.

    python interop/twin.py --listen 127.0.0.1:5002 [--now UNIX] [--store STORE] [--flask-login none|basic|strong]

With `--store`, Flask's sessions come from the package `carafe_sessions`: in signed cookies (`cookie`), in sealed ones
(`sealed`), or in the store of a URL.

Settings come from the environment under Flask's own names (`FLASK_SECRET_KEY`, `FLASK_SESSION_COOKIE_SECURE`, ...).
The operations and every choice that the contract leaves are in `operations.py`.
"""

from __future__ import annotations

import argparse
import logging
import warnings

import flask
from flask import Flask, Response, abort, request, session
from flask.sessions import SessionInterface

import clock
import operations
import wsgi_server


def create_app(operations_class: type[operations.Operations] = operations.Operations) -> Flask:
    """The twin's application, configured from the environment."""
    app = Flask("twin")
    app.config.from_prefixed_env()
    app.logger.addFilter(_in_one_line)

    @app.route("/op", methods=["GET", "POST"])
    def op() -> Response:
        runner = operations_class()
        try:
            in_query = request.method == "GET"
            text = request.args.get("ops", "") if in_query else request.get_data().decode()
            results = runner.run(operations.parse(text, in_query))
        except (operations.Malformed, UnicodeDecodeError):
            abort(400)
        # The list of results is no session: each value in it is already tagged, the whole is not tagged again.
        body = flask.json.dumps({"results": results}, separators=(",", ":"))
        return Response(body, runner.status, mimetype="application/json")

    @app.get("/plain")
    def plain() -> str:
        return "ok"

    @app.get("/read")
    def read() -> Response:
        username = session.get("username", "-")
        if not isinstance(username, str):
            raise TypeError("username is no text")
        return Response(username, mimetype="text/plain")

    return app


def _in_one_line(record: logging.LogRecord) -> bool:
    """A failure is one line: many clients of the twin ask for one, and a traceback for each would cost more than the answer."""
    if record.exc_info and record.exc_info[1] is not None:
        record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]!r:.200}", ()
        record.exc_info = None
    return True


def operations_of(store: str) -> type[operations.Operations]:
    """The operations that sessions in this store have."""
    if store in ("cookie", "sealed"):
        return operations.Operations
    import stored_operations

    return stored_operations.StoredOperations


def interface(store: str) -> SessionInterface:
    """The package's sessions: in cookies, or where a URL says."""
    from carafe_sessions import flask as carafe

    url = None if store in ("cookie", "sealed") else store
    return carafe.SessionInterface(url, sealed=store == "sealed", user_key="_user_id")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:5002", metavar="HOST:PORT")
    modes = ["none", "basic", "strong"]
    parser.add_argument("--flask-login", choices=modes, help="add Flask-Login with this session protection")
    parser.add_argument("--store", metavar="STORE", help="sessions of the package carafe_sessions")
    parser.add_argument("--now", type=int, metavar="UNIX", help="fix the clock at this second")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*cookie is too large")
    if arguments.now is not None:
        clock.fix(arguments.now)
    if arguments.store is None:
        app = create_app()
    else:
        app = create_app(operations_of(arguments.store))
        app.session_interface = interface(arguments.store)
    if arguments.flask_login:
        import flask_logins

        flask_logins.install(app, arguments.flask_login)
    wsgi_server.serve(app, arguments.listen)


if __name__ == "__main__":
    main()
