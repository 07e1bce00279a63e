"""Flask's twin with one bug built in, to prove that the differential tester finds it.

    python interop/mutants.py NAME --listen 127.0.0.1:0 --now UNIX

`carafe-like` is no bug: it answers as `differences.py` says that Carafe does, and must pass.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import flask.json.provider
import flask.json.tag
import itsdangerous.url_safe
import werkzeug.sansio.request
from flask import Flask, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import TimestampSigner
from werkzeug.sansio.http import parse_cookie

import operations
import twin
from differ.compare import split
from differ.configurations import Configuration
from differ.opened import Step, open_value
from differences import LARGEST_COOKIE, LARGEST_PAYLOAD, is_flashes

Mutation = Callable[[Flask], None]
MUTANTS: dict[str, Mutation] = {}


def mutant(change: Mutation) -> Mutation:
    """Registers a mutation under its name with dashes."""
    MUTANTS[change.__name__.replace("_", "-")] = change
    return change


def _after(app: Flask, change: Callable[[Response], Any]) -> None:
    """Changes each answer after the session is saved."""
    original = app.process_response

    def process_response(response: Response) -> Response:
        response = original(response)
        change(response)
        return response

    app.process_response = process_response  # type: ignore


def _replace_in_cookies(app: Flask, old: str, new: str) -> None:
    def change(response: Response) -> None:
        cookies = response.headers.getlist("Set-Cookie")
        response.headers.setlist("Set-Cookie", [cookie.replace(old, new) for cookie in cookies])

    _after(app, change)


@mutant
def no_vary(app: Flask) -> None:
    _after(app, lambda response: response.headers.pop("Vary", None))


@mutant
def vary_only_when_set(app: Flask) -> None:
    _after(app, lambda response: None if "Set-Cookie" in response.headers else response.headers.pop("Vary", None))


@mutant
def secure_missing(app: Flask) -> None:
    _replace_in_cookies(app, "; Secure", "")


@mutant
def attribute_order(app: Flask) -> None:
    _replace_in_cookies(app, "; HttpOnly; Path=/", "; Path=/; HttpOnly")


@mutant
def samesite_missing_on_removal(app: Flask) -> None:
    def change(response: Response) -> None:
        cookie = response.headers.get("Set-Cookie", "")
        if "Max-Age=0" in cookie:
            response.headers["Set-Cookie"] = cookie.replace("; SameSite=Strict", "")

    _after(app, change)


@mutant
def reverse_key_order(app: Flask) -> None:
    _sort_keys(app, lambda key: [-ord(character) for character in key])


@mutant
def utf16_key_order(app: Flask) -> None:
    _sort_keys(app, lambda key: key.encode("utf-16-be", "surrogatepass"))


def _sort_keys(app: Flask, order: Callable[[str], Any]) -> None:
    """Writes every dict of a session in another order."""

    def arrange(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: arrange(value[key]) for key in sorted(value, key=order)}
        return [arrange(item) for item in value] if isinstance(value, list) else value

    flask.json.tag.dumps = (  # type: ignore
        lambda value, **how: app.json.dumps(arrange(value), **how | {"sort_keys": False})
    )


@mutant
def pop_unnoticed(app: Flask) -> None:
    SecureCookieSession.pop = dict.pop  # type: ignore


@mutant
def empty_update_unnoticed(app: Flask) -> None:
    original = SecureCookieSession.update
    SecureCookieSession.update = lambda self, values=(): original(self, values) if values else None  # type: ignore


@mutant
def setdefault_always_modifies(app: Flask) -> None:
    def setdefault(self: SecureCookieSession, key: str, default: Any = None) -> Any:
        self.modified = True
        return dict.setdefault(self, key, default)

    SecureCookieSession.setdefault = setdefault  # type: ignore


@mutant
def nested_change_unnoticed(app: Flask) -> None:
    original = operations.Operations.op_set_nested

    def op_set_nested(self: operations.Operations, path: list[str | int], value: Any) -> None:
        before = flask.session.modified
        original(self, path, value)
        if len(path) > 1:
            flask.session.modified = before

    operations.Operations.op_set_nested = op_set_nested  # type: ignore


@mutant
def no_refresh(app: Flask) -> None:
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False


@mutant
def refresh_only_when_touched(app: Flask) -> None:
    original = app.session_interface.should_set_cookie
    app.session_interface.should_set_cookie = (  # type: ignore
        lambda a, session: original(a, session) and (session.modified or session.accessed)  # type: ignore
    )


@mutant
def expires_a_second_late(app: Flask) -> None:
    _replace_in_cookies(app, ":20 GMT; ", ":21 GMT; ")


@mutant
def expiry_off_by_one(app: Flask) -> None:
    original = SecureCookieSessionInterface.open_session

    def open_session(self: SecureCookieSessionInterface, a: Flask, r: Any) -> Any:
        lifetime = a.config["PERMANENT_SESSION_LIFETIME"]
        try:
            a.config["PERMANENT_SESSION_LIFETIME"] = a.permanent_session_lifetime.total_seconds() - 1
            return original(self, a, r)
        finally:
            a.config["PERMANENT_SESSION_LIFETIME"] = lifetime

    SecureCookieSessionInterface.open_session = open_session  # type: ignore


@mutant
def oldest_key_signs(app: Flask) -> None:
    fallbacks = app.config["SECRET_KEY_FALLBACKS"]
    if fallbacks:
        app.config["SECRET_KEY"], app.config["SECRET_KEY_FALLBACKS"] = (
            fallbacks[0],
            [*fallbacks[1:], app.config["SECRET_KEY"]],
        )


@mutant
def no_fallbacks(app: Flask) -> None:
    app.config["SECRET_KEY_FALLBACKS"] = None


@mutant
def last_cookie_wins(app: Flask) -> None:
    werkzeug.sansio.request.parse_cookie = lambda header, cls: cls(dict(parse_cookie(header).items(multi=True)))  # type: ignore


@mutant
def no_compression(app: Flask) -> None:
    itsdangerous.url_safe.zlib.compress = lambda content: content  # type: ignore


@mutant
def not_saved_on_failure(app: Flask) -> None:
    def change(response: Response) -> None:
        if response.status_code >= 500:
            response.headers.pop("Set-Cookie", None)

    _after(app, change)


@mutant
def flash_pair_swapped(app: Flask) -> None:
    original = operations.flash
    operations.flash = lambda message, category: original(category, message)  # type: ignore


@mutant
def flash_filter_keeps_the_rest(app: Flask) -> None:
    original = operations.get_flashed_messages

    def get_flashed_messages(with_categories: bool, category_filter: Any) -> Any:
        flashes = flask.session.get("_flashes", [])
        shown = original(with_categories, category_filter)
        if category_filter and (kept := [f for f in flashes if f[0] not in category_filter]):
            flask.session["_flashes"] = kept
        return shown

    operations.get_flashed_messages = get_flashed_messages  # type: ignore


@mutant
def lone_surrogates_replaced(app: Flask) -> None:
    original = flask.json.tag.loads
    flask.json.tag.loads = lambda text: _without_surrogates(original(text))  # type: ignore


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return (
        {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()} if isinstance(value, dict) else value
    )


@mutant
def big_integers_as_floats(app: Flask) -> None:
    def tag(self: Any, value: Any) -> Any:
        if type(value) is int and abs(value) >= 2**64:
            return float(value) if abs(value) < 10**300 else None
        return original(self, value)

    original = flask.json.tag.TaggedJSONSerializer.tag
    flask.json.tag.TaggedJSONSerializer.tag = tag  # type: ignore


@mutant
def negative_zero_lost(app: Flask) -> None:
    original = flask.json.tag.TaggedJSONSerializer.tag
    flask.json.tag.TaggedJSONSerializer.tag = (  # type: ignore
        lambda self, value: 0.0 if type(value) is float and value == 0 else original(self, value)
    )


@mutant
def carafe_like(app: Flask) -> None:
    """Carafe's documented differences, on Flask."""
    configuration = Configuration("", dict(app.config))
    lifetime = int(app.permanent_session_lifetime.total_seconds())
    configuration.settings["PERMANENT_SESSION_LIFETIME"] = lifetime
    configuration.settings["SECRET_KEY_FALLBACKS"] = app.config["SECRET_KEY_FALLBACKS"] or []
    original = SecureCookieSessionInterface.open_session

    def open_session(self: SecureCookieSessionInterface, a: Flask, r: Any) -> Any:
        value = r.cookies.get(configuration.cookie_name, "")
        opened = open_value(value, configuration, TimestampSigner("").get_timestamp())
        if not opened.canonical_signature:
            return self.session_class()
        unreadable = opened.step in (Step.PAYLOAD_UNREADABLE, Step.TIME_UNREADABLE)
        if unreadable or opened.inflated > LARGEST_PAYLOAD:
            session = self.session_class()
            session.modified = True
            return session
        return original(self, a, r)

    def change(response: Response) -> None:
        if any(split(cookie.encode()).size > LARGEST_COOKIE for cookie in response.headers.getlist("Set-Cookie")):
            response.headers.pop("Set-Cookie")
            response.status_code = 500

    shown = operations.get_flashed_messages

    def get_flashed_messages(with_categories: bool, category_filter: Any) -> Any:
        if not is_flashes(flask.session.get("_flashes", [])):
            raise TypeError("_flashes")
        return shown(with_categories, category_filter)

    operations.get_flashed_messages = get_flashed_messages  # type: ignore
    SecureCookieSessionInterface.open_session = open_session  # type: ignore
    _after(app, change)


def main() -> None:
    """Applies the mutation named first and serves as the twin does."""
    mutation = MUTANTS[sys.argv.pop(1)]
    create_app = twin.create_app

    def create_mutant() -> Flask:
        app = create_app()
        mutation(app)
        return app

    twin.create_app = create_mutant
    twin.main()


if __name__ == "__main__":
    main()
