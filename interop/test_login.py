"""The login example through a real HTTP client, beside the same application on Flask: one cookie jar, one secret key.

CARAFE_LOGIN=target/release/examples/login python interop/test_login.py
"""

from __future__ import annotations

import argparse
import os
import shlex
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from checks import Checks
from differ.twins import Server, inherited

FLASK = [sys.executable, str(Path(__file__).with_name("login_app.py")), "--listen", "127.0.0.1:0"]
KEY = {"SECRET_KEY": "a key that both applications have"}
NAMES = [
    "admin",
    "Zoë ☃ 😀",
    "<script>alert(1)</script>",
    "\"quotes\" & 'more' &amp;",
    "a b+c%20d",
    "</p><b>",
    "x" * 1500,
]
#: Too random for compression to help.
LONG_NAME = b64encode(os.urandom(75_000)).decode()


class Page(HTMLParser):
    """The content of a page: its text, its links, its forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: dict[str, str] = {}
        self.forms: list[dict[str, str | None]] = []
        self.fields: list[str | None] = []
        self.tags: set[str] = set()
        self._href: str | None = None
        self._hidden = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.add(tag)
        self._hidden = tag in ("style", "title", "script")
        if tag == "a":
            self._href = attributes.get("href")
        if tag == "form":
            self.forms.append(attributes)
        if tag == "input":
            self.fields.append(attributes.get("name"))

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        self._href = None if tag == "a" else self._href

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data
        if self._href is not None:
            self.links[data.strip()] = self._href


@dataclass
class Reply:
    """An answer, redirects not followed unless asked to."""

    status: int
    headers: HTTPMessage
    body: str

    @property
    def page(self) -> Page:
        return Page(self.body)


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


@dataclass
class Browser:
    """An HTTP client with a cookie jar."""

    jar: CookieJar = field(default_factory=CookieJar)

    def ask(
        self, url: str, form: dict[str, str] | None = None, follow: bool = True, method: str | None = None
    ) -> Reply:
        """GET, or POST with a form."""
        handlers: list[Any] = [urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)]
        opener = urllib.request.build_opener(*handlers, *([] if follow else [_StayHere]))
        data = None if form is None else urlencode(form).encode()
        try:
            answer = opener.open(urllib.request.Request(url, data, method=method), timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Reply(answer.status, answer.headers, answer.read().decode())

    def is_logged_in(self, url: str, name: str) -> bool:
        """Whether the front page greets `name`."""
        page = self.ask(url + "/").page
        return f"Logged in as {name}" in page.text and page.links.get("click here to log out") == "/logout"

    def is_logged_out(self, url: str) -> bool:
        """Whether the front page shows a visitor who is logged out."""
        page = self.ask(url + "/").page
        return "You are not logged in" in page.text and page.links.get("click here to log in") == "/login"


def check_pages(checks: Checks, carafe: str) -> None:
    """Routes and texts, as in the tutorial."""
    browser = Browser()
    checks.check("the front page says that the visitor is logged out", browser.is_logged_out(carafe))
    form = browser.ask(carafe + "/login").page
    posts = len(form.forms) == 1 and (form.forms[0].get("method") or "").lower() == "post"
    checks.check("/login shows a form with the field username", posts and form.fields == ["username"], form.fields)
    reply = browser.ask(carafe + "/login", {"username": "admin"}, follow=False)
    checks.check(
        "POST /login redirects to /", reply.status in (302, 303) and reply.headers["Location"] == "/", reply.status
    )
    cookie = reply.headers.get("Set-Cookie", "")
    checks.check(
        "the cookie has Flask's name and attributes",
        cookie.startswith("session=") and cookie.endswith("; HttpOnly; Path=/"),
        cookie,
    )
    checks.check("the front page greets by name", browser.is_logged_in(carafe, "admin"))
    checks.check("Vary: Cookie stands on it", browser.ask(carafe + "/").headers.get("Vary", "").lower() == "cookie")
    reply = browser.ask(carafe + "/logout", follow=False)
    checks.check(
        "/logout redirects to /", reply.status in (302, 303) and reply.headers["Location"] == "/", reply.status
    )
    removal = "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/"
    checks.check(
        "/logout removes the cookie", reply.headers.get("Set-Cookie") == removal, reply.headers.get("Set-Cookie")
    )
    checks.check("after it the visitor is logged out", browser.is_logged_out(carafe))


def check_refusals(checks: Checks, carafe: str) -> None:
    """The pages that the application lacks, and the requests that it refuses."""
    browser = Browser()
    for path in ("/nowhere", "/login/", "/LOGIN", "/static/", "/.."):
        status = browser.ask(carafe + path).status
        checks.check(f"GET {path} is not found", status == 404, status)
    for method, path in (("POST", "/"), ("DELETE", "/login"), ("POST", "/logout"), ("PUT", "/")):
        status = browser.ask(carafe + path, {}, method=method).status
        checks.check(f"{method} {path} is not allowed", status == 405, status)
    reply = browser.ask(carafe + "/login", {"user": "admin"}, follow=False)
    checks.check(
        "a form without username is refused",
        reply.status in (400, 422) and "Set-Cookie" not in reply.headers,
        reply.status,
    )
    browser.ask(carafe + "/login", {"username": "admin"})
    for length in (4500, 5000, 100_000):
        reply = browser.ask(carafe + "/login", {"username": LONG_NAME[:length]}, follow=False)
        refused = reply.status == 413 and "Set-Cookie" not in reply.headers
        checks.check(f"a name of {length} characters can't fit and is a 413", refused, reply.status)
    checks.check("the old login stays after it", browser.is_logged_in(carafe, "admin"))


def check_largest_name(checks: Checks, carafe: str) -> None:
    """Names are taken up to what browsers keep: 4096 bytes of cookie name and value."""
    fits, too_long, largest = 1, len(LONG_NAME), 0
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        reply = Browser().ask(carafe + "/login", {"username": LONG_NAME[:middle]}, follow=False)
        if reply.status == 413:
            too_long = middle
        else:
            fits = middle
            largest = len(reply.headers["Set-Cookie"].split(";")[0]) - len("=")
    checks.check("the longest name that is taken fills a cookie to 4096 bytes", 4090 <= largest <= 4096, largest)


def check_together(checks: Checks, carafe: str, flask: str) -> None:
    """One jar, both applications."""
    for here, there, way in ((carafe, flask, "Carafe to Flask"), (flask, carafe, "Flask to Carafe")):
        for name in NAMES:
            browser = Browser()
            shown = f"{way}, {name[:30]!r}"
            browser.ask(here + "/login", {"username": name})
            checks.check(
                f"logged in from {shown}", browser.is_logged_in(here, name) and browser.is_logged_in(there, name)
            )
            page = browser.ask(there + "/").page
            checks.check(f"escaped: {shown}", not page.tags & {"script", "b"})
            browser.ask(there + "/logout")
            checks.check(
                f"logged out on the other, {shown}", browser.is_logged_out(here) and browser.is_logged_out(there)
            )


def check_curl(checks: Checks, carafe: str) -> None:
    """A plain `curl -d username=admin` logs in."""
    printed = subprocess.run(
        ["curl", "--noproxy", "*", "-s", "-i", "-d", "username=admin", carafe + "/login"],
        capture_output=True,
        text=True,
        timeout=10,
    ).stdout
    checks.check("curl -d username=admin logs in", "set-cookie: session=" in printed.lower(), printed)


def check_start(checks: Checks, command: list[str]) -> None:
    """The address that it listens on, and the key that it takes."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ways: list[tuple[str, list[str], dict[str, str]]]
        ways = [("--listen", ["--listen", f"127.0.0.1:{port}"], {}), ("PORT", [], {"PORT": str(port)})]
        for how, arguments, extra in ways:
            ended = subprocess.run(
                [*command, *arguments], env=inherited() | KEY | extra, capture_output=True, text=True, timeout=20
            )
            said = (ended.stdout + ended.stderr).strip()
            clear = (
                ended.returncode != 0
                and len(said.splitlines()) == 1
                and str(port) in said
                and ("PORT" in said or "--listen" in said)
            )
            checks.check(
                f"a taken port ({how}) is one line that says how to choose another",
                clear,
                f"{ended.returncode} {said!r}",
            )
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    server = Server(command, KEY | {"PORT": str(port)})
    checks.check("PORT chooses the port, on 127.0.0.1", server.url == f"http://127.0.0.1:{port}", server.url)
    browser = Browser()
    browser.ask(server.url + "/login", {"username": "admin"})
    server.stop()
    server = Server([*command, "--listen", "127.0.0.1:0"], {"FLASK_SECRET_KEY": KEY["SECRET_KEY"]})
    checks.check(
        "FLASK_SECRET_KEY is taken as well, and sessions outlive the process", browser.is_logged_in(server.url, "admin")
    )
    server.stop()
    server = Server([*command, "--listen", "127.0.0.1:0"], {})
    said = (server.printed + server.log()).lower()
    checks.check(
        "without a key it says that sessions end with the process",
        "secret_key" in said and "session" in said and "end" in said,
        said,
    )
    checks.check("without a key old sessions are not accepted", browser.is_logged_out(server.url))
    browser = Browser()
    browser.ask(server.url + "/login", {"username": "admin"})
    checks.check("without a key one can log in", browser.is_logged_in(server.url, "admin"))
    server.stop()
    server = Server([*command, "--listen", "127.0.0.1:0"], {})
    checks.check("the next process has another key", browser.is_logged_out(server.url))
    server.stop()


def main() -> int:
    """Runs all checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--login", default=os.environ.get("CARAFE_LOGIN", ""), metavar="COMMAND", help="default: $CARAFE_LOGIN"
    )
    arguments = parser.parse_args()
    if not arguments.login:
        parser.error("name the login example: $CARAFE_LOGIN or --login")
    command = shlex.split(arguments.login)
    checks = Checks()
    carafe = Server([*command, "--listen", "127.0.0.1:0"], KEY)
    flask = Server(FLASK, KEY)
    try:
        check_pages(checks, carafe.url)
        check_refusals(checks, carafe.url)
        check_largest_name(checks, carafe.url)
        check_together(checks, carafe.url, flask.url)
        check_curl(checks, carafe.url)
    finally:
        carafe.stop()
        flask.stop()
    check_start(checks, command)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
