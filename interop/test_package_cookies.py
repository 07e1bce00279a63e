"""What the package `carafe_sessions` finds out about sessions in cookies without asking Flask.

    PYTHONPATH=target/xtask/pythonpath python interop/test_package_cookies.py
"""

from __future__ import annotations

import sys
import unittest
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import session
from flask.sessions import SecureCookieSessionInterface
from test_package import application, perform

CONTENT: dict[str, Any] = {
    "name": "ada",
    "cart": {"pears": [1, 2.5], "plums": {}},
    "pair": ([1], {"a": None}),
    "rows": [{"n": 1, "on": True}, {"n": 2, "on": False}],
}


def sets_cookie(change: Callable[[], Any], sealed: bool = False) -> bool:
    """Whether a request that does this to the content sets a cookie."""
    client = application(None, sealed=sealed).test_client()
    perform(client, lambda: session.update(CONTENT))
    return bool(perform(client, change).headers.getlist("Set-Cookie"))


class Changes(unittest.TestCase):
    """Changes within values."""

    def test_each_change_is_noticed_at_any_depth(self) -> None:
        changes: dict[str, Callable[[], Any]] = {
            "another value": lambda: session["cart"].update(pears=3),
            "another item": lambda: session["cart"]["pears"].append(3),
            "an item less": lambda: session["rows"].pop(),
            "another order": lambda: session["rows"].reverse(),
            "a key in an empty dict": lambda: session["cart"]["plums"].update(a=1),
            "another key": lambda: session["rows"][0].update(m=session["rows"][0].pop("n")),
            "within a tuple": lambda: session["pair"][0].append(2),
            "a dict within a tuple": lambda: session["pair"][1].update(a=1),
        }
        for sealed in (False, True):
            for name, change in changes.items():
                with self.subTest(name, sealed=sealed):
                    self.assertTrue(sets_cookie(change, sealed))

    def test_what_means_the_same_is_no_change(self) -> None:
        same: dict[str, Callable[[], Any]] = {
            "reading": lambda: dict(session),
            "an equal value": lambda: session["cart"].update(pears=[1, 2.5]),
            "another order of keys": lambda: session["cart"].update(pears=session["cart"].pop("pears")),
        }
        for name, change in same.items():
            with self.subTest(name):
                self.assertFalse(sets_cookie(change))


class LikeFlask(unittest.TestCase):
    """What Flask's own interface makes of the same settings and values."""

    def test_floats_and_keys_are_written_alike(self) -> None:
        app = application(None)
        floats = [0.0, -0.0, 1e-4, 9.9e-5, 1e15, 1e16, 123456789012345.6, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -2.5]
        written = {"floats": floats, "ü": {"b": 1, "a": 2}, "t": {" t": 1}}
        with app.app_context():
            own, flasks = (
                interface.get_signing_serializer(app) for interface in (app.session_interface, SecureCookieSessionInterface())
            )
            self.assertEqual(own.dumps_session(written).rsplit(".", 2)[0], flasks.dumps(written).rsplit(".", 2)[0])
            self.assertEqual(flasks.loads(own.dumps(written)), written)

    def test_settings_that_change_count_at_once(self) -> None:
        app = application(None)
        client = app.test_client()
        perform(client, lambda: session.update(a=1))
        app.permanent_session_lifetime = timedelta(seconds=-1)
        self.assertEqual(perform(client, lambda: dict(session)).value, {})
        app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(days=1)
        self.assertEqual(perform(client, lambda: dict(session)).value, {"a": 1})
        old, app.secret_key = app.secret_key, "another key"
        self.assertEqual(perform(client, lambda: dict(session)).value, {})
        app.config["SECRET_KEY_FALLBACKS"] = fallbacks = ["one more"]
        self.assertEqual(perform(client, lambda: dict(session)).value, {})
        fallbacks.append(old)
        self.assertEqual(perform(client, lambda: dict(session)).value, {"a": 1})

    def test_an_applications_own_request_and_lifetime_count(self) -> None:
        app = application(None)
        cookie = perform(app.test_client(), lambda: session.update(a=1)).headers["Set-Cookie"].split(";")[0]

        class Request(app.request_class):  # type: ignore[name-defined,misc]
            cookies = {"session": cookie.removeprefix("session=")}

        class Impatient(type(app)):  # type: ignore[misc]
            permanent_session_lifetime = timedelta(seconds=-1)

        app.request_class = Request
        self.assertEqual(perform(app.test_client(), lambda: dict(session)).value, {"a": 1})
        app.__class__ = Impatient
        self.assertEqual(perform(app.test_client(), lambda: dict(session)).value, {})

    def test_a_cookie_beside_others_is_found(self) -> None:
        app = application(None)
        cookie = perform(app.test_client(), lambda: session.update(a=1)).headers["Set-Cookie"].split(";")[0]
        headers = (f"x=1; {cookie}", f"{cookie};y", f"x_session=2;{cookie}", f"  {cookie} ; z=1", f"{cookie}; session=other")
        for header in headers:
            with self.subTest(header.replace(cookie, "...")), app.test_request_context(headers={"Cookie": header}) as context:
                opened = [
                    dict(interface.open_session(app, context.request))
                    for interface in (app.session_interface, SecureCookieSessionInterface())
                ]
                self.assertEqual(opened, [{"a": 1}] * 2)


def main() -> int:
    """Runs the tests; the exit status. The last line says how it went."""
    result = unittest.main(exit=False, argv=[sys.argv[0]], verbosity=1).result
    print(f"{result.testsRun} tests of sessions in cookies, {len(result.failures) + len(result.errors)} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
