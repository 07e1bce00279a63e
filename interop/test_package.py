"""The promises of the package `carafe_sessions` for Flask applications.

    PYTHONPATH=target/xtask/pythonpath python interop/test_package.py [--redis PROGRAM]
"""

from __future__ import annotations

import contextvars
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from carafe_sessions import signals
from carafe_sessions.errors import NoStoreError
from carafe_sessions.flask import SessionInterface
from flask import Flask, flash, get_flashed_messages, session
from flask.json.tag import JSONTag, TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface

KEY = "Vb7-2q_kXo9Zr4eMc1uY8nTgHs5wJd0aLpFiRxQ6"
HERE = Path(__file__).parent


def application(store: str | None = "memory:", **options: Any) -> Flask:
    """An application whose views are added by the tests."""
    app = Flask("tested")
    app.secret_key = KEY
    app.session_interface = SessionInterface(store, **options)
    return app


def perform(client: Any, view: Any) -> Any:
    """Runs a function as the view of a request; the response, with the function's value as `.value`."""
    app = client.application
    box: list[Any] = []

    def run() -> str:
        box.append(view())
        return "ok"

    app.view_functions["run"] = run
    if not app._got_first_request:
        app.add_url_rule("/run", "run")
    response = client.get("/run")
    response.value = box[0] if box else None
    return response


class Cookies(unittest.TestCase):
    """Sessions in cookies."""

    def test_an_applications_own_tags_work_as_in_flask(self) -> None:
        class Order:
            pass

        class OrderTag(JSONTag):
            __slots__ = ()
            key = " o"
            check = lambda self, value: isinstance(value, Order)  # noqa: E731
            to_json = lambda self, value: "order"  # noqa: E731
            to_python = lambda self, value: Order()  # noqa: E731

        for store in (None, "memory:"):
            app = application(store)
            app.session_interface.serializer = TaggedJSONSerializer()
            app.session_interface.serializer.register(OrderTag, index=0)
            client = app.test_client()
            perform(client, lambda: session.update(order=Order(), name="x"))
            response = perform(client, lambda: isinstance(session["order"], Order) and session["name"])
            self.assertEqual(response.value, "x")

    def test_changes_within_values_are_noticed(self) -> None:
        for options in ({"store": None}, {"store": None, "sealed": True}, {"store": "memory:"}):
            client = application(**options).test_client()
            perform(client, lambda: session.update(cart={"pears": [1]}))
            perform(client, lambda: session["cart"]["pears"].append(2))
            self.assertEqual(perform(client, lambda: session["cart"]).value, {"pears": [1, 2]})

    def test_reading_what_can_change_sets_no_cookie(self) -> None:
        client = application(None).test_client()
        perform(client, lambda: session.update(cart={"pears": [1.5, (1, float("nan"))]}))
        response = perform(client, lambda: session["cart"])
        self.assertEqual(response.headers.getlist("Set-Cookie"), [])

    def test_flasks_hooks_and_attributes_count(self) -> None:
        class Hooked(SessionInterface):
            salt = "mine"
            key_derivation = "django-concat"
            get_cookie_name = lambda self, app: "other"  # noqa: E731
            get_cookie_path = lambda self, app: "/run"  # noqa: E731
            get_cookie_samesite = lambda self, app: "Strict"  # noqa: E731

        class Plain(SecureCookieSessionInterface):
            salt, key_derivation = Hooked.salt, Hooked.key_derivation

        app = application(None)
        app.session_interface = Hooked()
        cookie = perform(app.test_client(), lambda: session.update(a=1)).headers["Set-Cookie"]
        self.assertRegex(cookie, "^other=[^;]+; HttpOnly; Path=/run; SameSite=Strict$")
        value = cookie.split(";")[0].removeprefix("other=")
        self.assertEqual(Plain().get_signing_serializer(app).loads(value), {"a": 1})
        app.session_interface = Hooked("memory:")
        cookie = perform(app.test_client(), lambda: session.update(a=1)).headers["Set-Cookie"]
        self.assertRegex(cookie, "^other=[^;]+; HttpOnly; Path=/run; SameSite=Strict$")

    def test_sealed_cookies_are_read_by_none_without_the_key(self) -> None:
        app = application(None, sealed=True)
        client = app.test_client()
        cookie = perform(client, lambda: session.update(name="ada")).headers["Set-Cookie"]
        self.assertNotIn("ada", cookie)
        self.assertEqual(perform(client, lambda: session["name"]).value, "ada")
        client.set_cookie("session", client.get_cookie("session").value[:-2] + "xx")
        self.assertEqual(perform(client, lambda: dict(session)).value, {})

    def test_what_takes_a_store_says_so(self) -> None:
        client = application(None).test_client()

        def ask() -> None:
            with self.assertRaises(NoStoreError):
                session.sessions()

        self.assertEqual(perform(client, ask).status_code, 200)

    def test_without_a_key_writes_fail_as_in_flask(self) -> None:
        for store in (None, "memory:"):
            app = application(store)
            app.secret_key = None

            def write() -> None:
                with self.assertRaisesRegex(RuntimeError, "no secret key"):
                    session["a"] = 1

            self.assertEqual(perform(app.test_client(), write).status_code, 200)


class Stored(unittest.TestCase):
    """Sessions in a store."""

    def test_setting_the_users_key_is_a_login_and_removing_it_a_logout(self) -> None:
        app = application()
        client, thief = app.test_client(), app.test_client()
        heard: list[tuple[str, str]] = []
        with (
            signals.session_logged_in.connected_to(lambda _, session, user: heard.append(("in", user)), app),
            signals.session_logged_out.connected_to(lambda _, session, user: heard.append(("out", user)), app),
        ):
            perform(client, lambda: session.update(cart=[1]))
            anonymous = client.get_cookie("session").value
            perform(client, lambda: session.update(_user_id="7"))
            logged_in = client.get_cookie("session").value
            self.assertNotEqual(anonymous, logged_in)
            listed = perform(client, lambda: session.sessions()).value
            self.assertEqual([entry["current"] for entry in listed], [True])
            self.assertEqual(perform(client, lambda: session["cart"]).value, [1])
            perform(client, lambda: session.pop("_user_id"))
        self.assertEqual(heard, [("in", "7"), ("out", "7")])
        self.assertEqual(perform(client, lambda: dict(session)).value, {"cart": [1]})
        for dead in (anonymous, logged_in):
            thief.set_cookie("session", dead)
            self.assertEqual(perform(thief, lambda: dict(session)).value, {})

    def test_any_value_may_be_the_users_id(self) -> None:
        client = application().test_client()
        for user in (7, "", 1.5, float("nan"), True, "\ud800", [1], {"a": (1,)}, b"\xff", "x" * 2000):
            perform(client, lambda: session.update(_user_id=user, a=1))
            response = perform(client, lambda: repr(session["_user_id"]))
            self.assertEqual((response.value, response.headers.get("Set-Cookie")), (repr(user), None))
        perform(client, lambda: session.update(_user_id=None))
        self.assertEqual(perform(client, lambda: dict(session)).value, {"_user_id": None, "a": 1})

    def test_a_login_elsewhere_that_has_another_key_is_no_login_here(self) -> None:
        app = application(user_key=None)
        client = app.test_client()
        perform(client, lambda: session.login("9"))
        app.session_interface.user_key = "uid"
        self.assertEqual(perform(client, lambda: dict(session)).value, {})
        self.assertEqual(len(perform(client, lambda: session.sessions()).value), 1)

    def test_an_emptied_session_has_ended(self) -> None:
        client = application().test_client()
        perform(client, lambda: session.update(name="x"))
        cookie = perform(client, lambda: session.pop("name")).headers["Set-Cookie"]
        self.assertTrue(cookie.startswith("session=; Expires=Thu, 01 Jan 1970"), cookie)

    def test_messages_that_were_shown_leave_those_of_other_requests(self) -> None:
        app = application()
        one, other = app.test_client(), app.test_client()
        perform(one, lambda: flash("first"))
        other.set_cookie("session", one.get_cookie("session").value)

        def slow() -> Any:
            shown = get_flashed_messages()
            in_thread(lambda: perform(other, lambda: flash("second")))
            flash("third")
            return shown

        self.assertEqual(perform(one, slow).value, ["first"])
        self.assertEqual(perform(other, get_flashed_messages).value, ["second", "third"])

    def test_different_keys_that_are_set_at_once_are_all_there(self) -> None:
        app = application()
        one, other = app.test_client(), app.test_client()
        perform(one, lambda: session.update(a=1, gone=1))
        other.set_cookie("session", one.get_cookie("session").value)

        def slow() -> None:
            session["b"] = 2
            in_thread(lambda: perform(other, lambda: (session.update(c=3), session.pop("gone"))))

        perform(one, slow)
        self.assertEqual(perform(one, lambda: dict(session)).value, {"a": 1, "b": 2, "c": 3})

    def test_what_was_cleared_meanwhile_is_gone(self) -> None:
        app = application()
        one, other = app.test_client(), app.test_client()
        perform(one, lambda: session.update(a=1))
        other.set_cookie("session", one.get_cookie("session").value)

        def slow() -> None:
            session.clear()
            in_thread(lambda: perform(other, lambda: session.update(c=3)))
            session["d"] = 4

        perform(one, slow)
        self.assertEqual(perform(one, lambda: dict(session)).value, {"d": 4})

    def test_a_request_whose_session_ended_is_answered_409(self) -> None:
        app = application()
        app.register_error_handler(409, lambda error: ("log in again", 409))
        one, other = app.test_client(), app.test_client()
        perform(one, lambda: session.update(_user_id="7"))
        other.set_cookie("session", one.get_cookie("session").value)
        refused: list[Any] = []

        def slow() -> None:
            session["late"] = True
            in_thread(lambda: perform(other, lambda: session.pop("_user_id")))

        with signals.session_refused.connected_to(lambda _, session, error: refused.append(error), app):
            response = perform(one, slow)
        self.assertEqual((response.status_code, len(refused)), (409, 1))
        self.assertEqual((response.headers["Vary"], response.text), ("Cookie", "log in again"))
        self.assertEqual(perform(one, lambda: dict(session)).value, {})


    def test_strict_sessions_refuse_to_overwrite_what_was_not_seen(self) -> None:
        app = application(strict=True)
        one, other = app.test_client(), app.test_client()
        perform(one, lambda: session.update(a=1))
        other.set_cookie("session", one.get_cookie("session").value)

        def slow() -> None:
            session["a"] = session["a"] + 1
            in_thread(lambda: perform(other, lambda: session.update(a=10)))

        self.assertEqual(perform(one, slow).status_code, 409)
        self.assertEqual(perform(one, lambda: session["a"]).value, 10)

    def test_updates_run_again_in_the_callers_context_and_raise_its_exceptions(self) -> None:
        app = application()
        one, other = app.test_client(), app.test_client()
        step = contextvars.ContextVar("step", default=0)
        perform(one, lambda: session.update(n=1))
        other.set_cookie("session", one.get_cookie("session").value)
        runs: list[int] = []

        def add(n: int) -> int:
            runs.append(n)
            return n + step.get()

        def slow() -> int:
            step.set(5)
            seen = session.update("n", add)
            in_thread(lambda: perform(other, lambda: session.update(n=100)))
            return seen

        self.assertEqual(perform(one, slow).value, 6)
        self.assertEqual((runs, perform(one, lambda: session["n"]).value), ([1, 100], 105))

        def fails() -> None:
            with self.assertRaises(ZeroDivisionError):
                session.update("n", lambda n: n / 0)
            with self.assertRaises(ZeroDivisionError):
                session.update_now("n", lambda n: n / 0)

        self.assertEqual(perform(one, fails).status_code, 200)
        self.assertEqual(perform(one, lambda: session["n"]).value, 105)

    def test_only_one_of_several_requests_takes_a_token(self) -> None:
        app = application()
        first = app.test_client()
        perform(first, lambda: session.update(token="t", other=1))
        clients = [app.test_client() for _ in range(8)]
        for client in clients:
            client.set_cookie("session", first.get_cookie("session").value)
        taken: list[Any] = []

        def view() -> Any:
            return session.take_now("token")

        threads = [threading.Thread(target=lambda c=client: taken.append(perform_own(c, view))) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(map(str, taken)), ["None"] * 7 + ["t"])

    def test_sessions_of_a_user_are_listed_and_ended(self) -> None:
        app = application()
        here, there, third = (app.test_client() for _ in range(3))
        for client in (here, there, third):
            perform(client, lambda: session.login("7"))
        listed = perform(here, lambda: session.sessions()).value
        self.assertEqual(sorted(entry["current"] for entry in listed), [False, False, True])
        self.assertTrue(all(entry["agent"].startswith("Werkzeug") for entry in listed), listed)
        other = next(entry["public_id"] for entry in listed if not entry["current"])
        self.assertTrue(perform(here, lambda: session.revoke(other)).value)
        self.assertFalse(perform(here, lambda: session.revoke("none of them")).value)
        self.assertEqual(perform(here, lambda: session.logout_others()).value, 1)
        for client in (there, third):
            self.assertEqual(perform(client, lambda: dict(session)).value, {})
        perform(there, lambda: session.login("7"))
        with app.app_context():
            self.assertEqual(len(app.session_interface.sessions_of(app, "7")), 2)
        self.assertEqual(perform(here, lambda: session.logout_everywhere()).value, 1)
        for client in (here, there):
            self.assertEqual(perform(client, lambda: dict(session)).value, {})

    def test_an_explicit_login_drops_what_is_not_kept(self) -> None:
        client = application().test_client()
        perform(client, lambda: session.update(cart=[1], planted="x"))
        before = client.get_cookie("session").value
        perform(client, lambda: session.login(7, keep=["cart"]))
        self.assertEqual(perform(client, lambda: dict(session)).value, {"cart": [1], "_user_id": "7"})
        rotated = client.get_cookie("session").value
        self.assertNotEqual(before, rotated)
        perform(client, lambda: session.rotate())
        self.assertNotEqual(rotated, client.get_cookie("session").value)
        self.assertEqual(perform(client, lambda: session["_user_id"]).value, "7")
        perform(client, lambda: session.logout())
        self.assertIsNone(client.get_cookie("session"))

    def test_what_is_saved_early_is_there_for_others(self) -> None:
        app = application()
        one, other = app.test_client(), app.test_client()
        perform(one, lambda: session.update(a=1))
        other.set_cookie("session", one.get_cookie("session").value)

        def slow() -> Any:
            session["b"] = 2
            session.save()
            return in_thread(lambda: perform(other, lambda: dict(session)).value)

        self.assertEqual(perform(one, slow).value, {"a": 1, "b": 2})

    def test_a_session_is_opened_when_it_is_first_used(self) -> None:
        client = application().test_client()
        perform(client, lambda: session.update(a=1, b=[2]))
        looks = {
            "dict": lambda: dict(session),
            "unpacking": lambda: {**session},
            "copy": lambda: session.copy(),
            "iteration": lambda: sorted(session),
            "json": lambda: json.loads(json.dumps(session._get_current_object())),
            "equality": lambda: session == {"a": 1, "b": [2]},
            "length": lambda: len(session),
            "truth": lambda: bool(session),
            "union": lambda: session._get_current_object() | {"c": 3},
            "repr": lambda: repr(session),
        }
        expected = {
            "dict": {"a": 1, "b": [2]}, "unpacking": {"a": 1, "b": [2]}, "copy": {"a": 1, "b": [2]}, "iteration": ["a", "b"],
            "json": {"a": 1, "b": [2]}, "equality": True, "length": 2, "truth": True, "union": {"a": 1, "b": [2], "c": 3},
        }  # fmt: skip
        for name, look in looks.items():
            value = perform(client, look).value
            if name == "repr":
                self.assertIn("'a': 1", value)
            else:
                self.assertEqual(value, expected[name], name)


class Extensions(unittest.TestCase):
    """Flask's extensions, unchanged."""

    def test_flask_login_logs_in_and_out(self) -> None:
        try:
            import flask_login
        except ImportError:
            self.skipTest("Flask-Login is not installed")
        for store in (None, "memory:"):
            app = application(store)
            login = flask_login.LoginManager(app)
            login.user_loader(lambda id: type("User", (flask_login.UserMixin,), {"id": id})())
            client, thief = app.test_client(), app.test_client()
            user = type("User", (flask_login.UserMixin,), {"id": 7})()
            perform(client, lambda: session.update(cart=[1]))
            perform(client, lambda: flask_login.login_user(user))
            cookie = client.get_cookie("session").value
            who = lambda: flask_login.current_user.is_authenticated and flask_login.current_user.id  # noqa: E731
            self.assertEqual(perform(client, who).value, "7")
            if store is not None:
                self.assertEqual(len(perform(client, lambda: session.sessions()).value), 1)
            perform(client, flask_login.logout_user)
            self.assertIs(perform(client, who).value, False)
            self.assertEqual(perform(client, lambda: session["cart"]).value, [1])
            thief.set_cookie("session", cookie)
            # A copy of a cookie is good until it expires; of a session in a store it is dead.
            self.assertEqual(perform(thief, who).value, "7" if store is None else False)

    def test_flask_wtf_checks_its_tokens(self) -> None:
        try:
            import flask_wtf.csrf
        except ImportError:
            self.skipTest("Flask-WTF is not installed")
        for store in (None, "memory:"):
            app = application(store)
            flask_wtf.csrf.CSRFProtect(app)
            app.add_url_rule("/post", "post", lambda: "posted", methods=["POST"])
            client = app.test_client()
            token = perform(client, flask_wtf.csrf.generate_csrf).value
            self.assertEqual(client.post("/post", data={"csrf_token": token}).text, "posted")
            self.assertEqual(client.post("/post", data={"csrf_token": "x"}).status_code, 400)


class Servers(unittest.TestCase):
    """Processes under gunicorn, and a server that goes away."""

    def test_workers_that_were_forked_after_the_store_was_used(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = f"sqlite:{folder}/sessions.db"
            with gunicorn(store, "--preload", "--workers", "4", early=True) as url:
                cookie = fetch(url + "/count")[2]
                numbers: list[int] = []
                threads = [threading.Thread(target=lambda: numbers.append(int(fetch(url + "/count", cookie)[1]))) for _ in range(40)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(30)
                self.assertEqual(sorted(numbers), list(range(2, 42)))
                self.assertGreater(len({fetch(url + "/process")[1] for _ in range(40)}), 1)

    def test_a_slow_reader_does_not_undo_a_logout(self) -> None:
        with tempfile.TemporaryDirectory() as folder, gunicorn(f"sqlite:{folder}/s.db", "--threads", "4") as url:
            cookie = fetch(url + "/login/7")[2]
            answers: list[tuple[int, str, str]] = []
            slow = [
                threading.Thread(target=lambda: answers.append(fetch(url + "/whoami?sleep=0.6", cookie))),
                threading.Thread(target=lambda: answers.append(fetch(url + "/whoami?sleep=0.6&write=x", cookie))),
            ]
            for thread in slow:
                thread.start()
            time.sleep(0.3)
            self.assertEqual(fetch(url + "/logout", cookie)[0], 200)
            for thread in slow:
                thread.join(10)
            self.assertEqual(sorted(status for status, _, _ in answers), [200, 409])
            self.assertEqual(fetch(url + "/whoami", cookie)[1], "None")

    def test_routes_without_a_session_work_while_redis_is_down(self) -> None:
        program = os.environ.get("CARAFE_REDIS_SERVER") or shutil.which("redis-server")
        if program is None:
            self.skipTest("there is no redis-server")
        port = free_port()
        start = [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--maxmemory-policy", "noeviction"]
        redis = subprocess.Popen(start, stdout=subprocess.DEVNULL)
        try:
            with gunicorn(f"redis://127.0.0.1:{port}", "--workers", "2") as url:
                cookie = eventually(lambda: fetch(url + "/login/7"))[2]
                self.assertEqual(fetch(url + "/whoami", cookie)[1], "7")
                redis.terminate()
                redis.wait(10)
                self.assertEqual(fetch(url + "/plain", cookie)[:2], (200, "ok"))
                status, _, new = fetch(url + "/whoami", cookie)
                self.assertEqual((status, new), (503, ""))
                redis = subprocess.Popen(start, stdout=subprocess.DEVNULL)
                eventually(lambda: fetch(url + "/count"))
        finally:
            redis.terminate()
            redis.wait(10)

    def test_a_worker_that_is_killed_loses_nothing_that_was_answered(self) -> None:
        with tempfile.TemporaryDirectory() as folder, gunicorn(f"sqlite:{folder}/s.db", "--workers", "3") as url:
            cookie = fetch(url + "/count")[2]
            last = 1
            for _ in range(5):
                last = max(last, int(fetch(url + "/count", cookie)[1]))
                os.kill(int(fetch(url + "/process")[1]), signal.SIGKILL)
                last_again = int(eventually(lambda: fetch(url + "/count", cookie))[1])
                self.assertGreater(last_again, last)
                last = last_again


def perform_own(client: Any, view: Any) -> Any:
    """Runs a function on a client's session, in this thread alone."""
    app = client.application
    with app.test_request_context(headers={"Cookie": "session=" + client.get_cookie("session").value}):
        value = view()
        app.process_response(app.make_response("ok"))
        return value


def in_thread(run: Any) -> Any:
    """Runs another request while this one is under way."""
    box: list[Any] = []

    def target() -> None:
        box.append(run())

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    thread.join(10)
    assert box, "the other request did not end"
    return box[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def fetch(url: str, cookie: str = "") -> tuple[int, str, str]:
    """Status, body, and the cookie to send from now on."""
    request = Request(url, headers={"Cookie": cookie} if cookie else {})
    try:
        response = urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return response.status, response.read().decode(), (response.headers["Set-Cookie"] or "").split(";")[0]


def eventually(ask: Any, patience: float = 15.0) -> Any:
    """The first answer that is a success."""
    deadline = time.monotonic() + patience
    while True:
        try:
            answer = ask()
            if answer[0] == 200:
                return answer
        except (OSError, ConnectionError) as error:
            answer = error
        if time.monotonic() > deadline:
            raise AssertionError(f"no success: {answer}")
        time.sleep(0.1)


@contextmanager
def gunicorn(store: str, *arguments: str, early: bool = False, key: str = KEY) -> Iterator[str]:
    """The URL of the application under gunicorn."""
    url = f"127.0.0.1:{free_port()}"
    environment = os.environ | {"CARAFE_STORE": store, "FLASK_SECRET_KEY": key, "CARAFE_USE_EARLY": "1" if early else "0"}
    command = [sys.executable, "-m", "gunicorn", "--bind", url, "--chdir", str(HERE), "--log-level", "warning"]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([*command, *arguments, "package_app:app"], env=environment, stdout=log, stderr=log)
        try:
            eventually(lambda: fetch(f"http://{url}/plain"))
            yield f"http://{url}"
            server.terminate()
            assert server.wait(20) == 0, "gunicorn did not end well"
        except BaseException:
            log.seek(0)
            print(log.read().decode(errors="replace")[-3000:])
            raise
        finally:
            server.kill()
            server.wait()


def main() -> int:
    """Runs the tests; the exit status. The last line says how it went."""
    program = unittest.main(exit=False, argv=[sys.argv[0]], verbosity=1)
    result = program.result
    print(f"{result.testsRun} tests of the Python package, {len(result.failures) + len(result.errors)} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
