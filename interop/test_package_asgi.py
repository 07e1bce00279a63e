"""The promises of the package `carafe_sessions` for ASGI applications.

    PYTHONPATH=target/xtask/pythonpath python interop/test_package_asgi.py
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Awaitable, Callable
from typing import Any

from carafe_sessions.asgi import SessionMiddleware
from carafe_sessions.errors import NoStoreError
from carafe_sessions.flask import SessionInterface
from flask import Flask, session

KEY = "Vb7-2q_kXo9Zr4eMc1uY8nTgHs5wJd0aLpFiRxQ6"
View = Callable[[Any], Any]


class Client:
    """A browser with one cookie, on an application of one view."""

    def __init__(self, store: str | None = None, middleware: SessionMiddleware | None = None, **options: Any) -> None:
        self.view: View = lambda session: None
        self.middleware = middleware or SessionMiddleware(self.application, KEY, store=store, **options)
        if middleware is None:
            self.owner = self
        self.cookie = b""
        self.headers: dict[str, list[str]] = {}

    def sibling(self) -> Client:
        """Another browser with the same cookie, on the same application."""
        other = Client(middleware=self.middleware)
        other.owner, other.cookie = self.owner, self.cookie
        return other

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        """Runs the view of the request."""
        value = scope["view"](scope["session"])
        if isinstance(value, Awaitable):
            value = await value
        scope["box"].append(value)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"vary", b"Accept")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def request(self, view: View) -> Any:
        """The result of the view; the status is `self.status`."""
        headers = [(b"cookie", b"theme=dark; session=" + self.cookie)] if self.cookie else []
        box: list[Any] = []
        sent: list[Any] = []
        scope = {"type": "http", "headers": headers + [(b"user-agent", b"test")], "client": ("203.0.113.7", 1), "view": view, "box": box}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.middleware(scope, None, send)  # type: ignore[arg-type]
        self.status = sent[0]["status"]
        self.headers = {}
        for name, value in sent[0]["headers"]:
            self.headers.setdefault(name.decode(), []).append(value.decode())
        for line in self.headers.get("set-cookie", []):
            self.cookie = line.split(";")[0].removeprefix("session=").encode()
        return box[0] if box else None


class Asgi(unittest.IsolatedAsyncioTestCase):
    """The middleware alone."""

    async def test_sessions_go_on_in_cookies_and_in_stores(self) -> None:
        for options in ({}, {"sealed": True}, {"store": "memory:"}):
            client = Client(**options)
            self.assertEqual(await client.request(lambda session: dict(session)), {})
            self.assertEqual(client.headers["vary"], ["Accept", "Cookie"])
            await client.request(lambda session: session.update(cart={"pears": [1]}, t=(1, b"x")))
            self.assertIn("; HttpOnly; Path=/; SameSite=Lax", client.headers["set-cookie"][0])
            await client.request(lambda session: session["cart"]["pears"].append(2))
            value = await client.request(lambda session: dict(session))
            self.assertEqual(value, {"cart": {"pears": [1, 2]}, "t": (1, b"x")})
            self.assertNotIn("set-cookie", client.headers)
            await client.request(lambda session: None)
            self.assertEqual(client.headers["vary"], ["Accept"])
            await client.request(lambda session: session.clear())
            self.assertTrue(client.headers["set-cookie"][0].startswith("session=; Expires=Thu, 01 Jan 1970"))

    async def test_forged_cookies_open_an_empty_session(self) -> None:
        for options in ({}, {"sealed": True}, {"store": "memory:"}):
            client = Client(**options)
            await client.request(lambda session: session.update(a=1))
            client.cookie = client.cookie[:-3] + b"AAA"
            self.assertEqual(await client.request(lambda session: dict(session)), {})

    async def test_a_session_is_shared_with_flask(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for store in (None, f"sqlite:{folder}/s.db"):
                app = Flask("shared")
                app.secret_key = KEY
                app.session_interface = SessionInterface(store)
                app.add_url_rule("/", "view", lambda: dict(session))
                app.add_url_rule("/in", "in", lambda: session.update(_user_id="7") or "in")
                app.add_url_rule("/out", "out", lambda: str(session.pop("_user_id", None)))
                client, browser = Client(store), app.test_client()
                await client.request(lambda session: session.update(a=1))
                browser.set_cookie("session", client.cookie.decode())
                self.assertEqual(browser.get("/").json, {"a": 1})
                browser.get("/in")
                client.cookie = browser.get_cookie("session").value.encode()
                self.assertEqual(await client.request(lambda session: session["_user_id"]), "7")
                if store is not None:
                    self.assertEqual(len(await client.request(lambda session: session.sessions())), 1)
                    browser.get("/out")
                    self.assertEqual(await client.request(lambda session: dict(session)), {})

    async def test_what_waits_for_the_store_does_not_hold_the_loop(self) -> None:
        client = Client("memory:")
        await client.request(lambda session: session.update(n=0))
        before = threading.active_count()

        async def count(session: Any) -> int:
            return await session.update_now("n", lambda n: n + 1)

        others = [client.sibling() for _ in range(32)]
        numbers = await asyncio.gather(*(other.request(count) for other in others))
        self.assertEqual(sorted(numbers), list(range(1, 33)))
        self.assertLessEqual(threading.active_count(), before + 1)

    async def test_gone_stays_gone(self) -> None:
        client = Client("memory:")
        await client.request(lambda session: session.login("7"))
        other, reader = client.sibling(), client.sibling()

        async def slow(session: Any) -> None:
            session["late"] = 1
            await other.request(lambda session: session.logout())

        async def slow_reader(session: Any) -> str:
            return session["_user_id"]

        await client.request(slow)
        self.assertEqual(client.status, 409)
        self.assertEqual(await reader.request(lambda session: dict(session)), {})

    async def test_sessions_of_a_user_are_listed_and_ended(self) -> None:
        client = Client("memory:")
        there = client.sibling()
        await client.request(lambda session: session.login("7"))
        await there.request(lambda session: session.login("7"))
        listed = await client.request(lambda session: session.sessions())
        self.assertEqual({(entry["address"], entry["agent"]) for entry in listed}, {("203.0.113.7", "test")})
        other = next(entry["public_id"] for entry in listed if not entry["current"])
        self.assertTrue(await client.request(lambda session: session.revoke(other)))
        self.assertEqual(await there.request(lambda session: dict(session)), {})
        self.assertEqual(await client.request(lambda session: session.logout_others()), 0)
        self.assertEqual(await client.request(lambda session: session.logout_everywhere()), 0)
        self.assertEqual(await client.request(lambda session: dict(session)), {})

    async def test_a_store_that_is_down_fails_those_who_look_alone(self) -> None:
        client = Client("redis://127.0.0.1:9", store_timeout=0.3)
        client.cookie = b"A" * 43 + b"." + b"B" * 43
        started = time.monotonic()
        self.assertEqual(await client.request(lambda session: "served"), "served")
        self.assertEqual(client.status, 200)
        ok = Client("memory:")
        await ok.request(lambda session: session.update(a=1))
        client.cookie = ok.cookie
        self.assertEqual(await client.request(lambda session: "served"), "served")
        await client.request(lambda session: session.get("a"))
        self.assertEqual((client.status, client.headers.get("set-cookie")), (503, None))
        self.assertLess(time.monotonic() - started, 5)

    async def test_what_takes_a_store_says_so(self) -> None:
        with self.assertRaises(NoStoreError):
            await Client().request(lambda session: session.sessions())

    async def test_mistaken_settings_are_refused(self) -> None:
        for options in (
            {"session_cookie": "a;b"},
            {"session_cookie": "__Host-s"},
            {"path": "/;x"},
            {"same_site": "x"},
            {"strict": True},
            {"store": "memory:", "sealed": True},
        ):
            with self.assertRaises(ValueError, msg=str(options)):
                Client(**options)


class Frameworks(unittest.TestCase):
    """The middleware under Starlette and FastAPI."""

    def test_starlette_with_websockets(self) -> None:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.responses import JSONResponse
        from starlette.routing import Route, WebSocketRoute
        from starlette.testclient import TestClient

        async def view(request: Any) -> Any:
            request.session["n"] = request.session.get("n", 0) + 1
            return JSONResponse(dict(request.session))

        async def socket(websocket: Any) -> None:
            websocket.session["seen"] = True
            await websocket.accept()
            await websocket.send_json(dict(websocket.session))
            await websocket.close()

        for store in (None, "memory:"):
            middleware = [Middleware(SessionMiddleware, secret_key=KEY, store=store)]
            app = Starlette(routes=[Route("/", view), WebSocketRoute("/ws", socket)], middleware=middleware)
            with TestClient(app) as client:
                self.assertEqual([client.get("/").json()["n"] for _ in range(3)], [1, 2, 3])
                with client.websocket_connect("/ws") as connection:
                    self.assertEqual(connection.receive_json(), {"n": 3, "seen": True})
                if store is not None:
                    self.assertEqual(client.get("/").json(), {"n": 4, "seen": True})

    def test_fastapi(self) -> None:
        from fastapi import FastAPI, Request
        from starlette.testclient import TestClient

        globals()["Request"] = Request
        app = FastAPI()
        app.add_middleware(SessionMiddleware, secret_key=KEY, store="memory:")

        @app.get("/")
        async def view(request: Request) -> dict[str, Any]:
            return {"n": await request.session.update_now("n", lambda n: (n or 0) + 1)}

        with TestClient(app) as client:
            self.assertEqual([client.get("/").json()["n"] for _ in range(3)], [1, 2, 3])

    def test_quart(self) -> None:
        from quart import Quart, request

        app = Quart("tested")
        app.asgi_app = SessionMiddleware(app.asgi_app, KEY, store="memory:")  # type: ignore[method-assign]

        @app.get("/")
        async def view() -> dict[str, Any]:
            return {"n": await request.scope["session"].update_now("n", lambda n: (n or 0) + 1)}

        async def visit() -> list[int]:
            client = app.test_client()
            return [(await (await client.get("/")).get_json())["n"] for _ in range(3)]

        self.assertEqual(asyncio.run(visit()), [1, 2, 3])


def main() -> int:
    """Runs the tests; the exit status. The last line says how it went."""
    result = unittest.main(exit=False, argv=[sys.argv[0]], verbosity=1).result
    print(f"{result.testsRun} tests of the ASGI middleware, {len(result.failures) + len(result.errors)} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
