"""The example `accounts`, two processes of it, with its sessions in a store on a server.

CARAFE_ACCOUNTS=target/debug/examples/accounts python interop/test_accounts_on.py --store redis://127.0.0.1:7000
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shlex
import sys
import tempfile
from urllib.parse import urlencode, urlsplit

from checks import Checks
from differ.twins import Server

SETTINGS = {"SECRET_KEY": "3f1c8e0a9b7d4c52a6e1f09d8b3c7a45"}


class Visitor:
    """A browser as far as it matters: it keeps cookies, and sends them to both processes."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def send(self, site: str, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """The status and the text of an answer."""
        address = urlsplit(site)
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=20)
        headers = {"Host": address.netloc, "Origin": site}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = urlencode(form) if form is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def submit(self, site: str, page: str, path: str, **fields: str) -> tuple[int, str]:
        """Fills in the form of a page."""
        _, text = self.send(site, "GET", page)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"', text)
        assert token, text
        return self.send(site, "POST", path, {"csrf_token": token[1] or token[2], **fields})


def check_accounts(checks: Checks, kind: str, first: str, second: str) -> None:
    """A visit, of which both processes know."""
    ada = Visitor()
    status, text = ada.submit(first, "/register", "/register", name="ada", password="correct horse battery")
    checks.check(f"{kind}: a visitor registers and is signed in", status == 303, (status, text))
    pages = [ada.send(site, "GET", "/account") for site in (first, second)]
    checks.check(f"{kind}: both processes know", [status for status, _ in pages] == [200, 200], pages)
    status, text = ada.send(second, "GET", "/account/sessions")
    checks.check(f"{kind}: the list of sessions has this one", status == 200 and "<form" in text, (status, text))
    copy = Visitor()
    copy.cookies = dict(ada.cookies)
    status, text = ada.submit(second, "/account", "/logout")
    checks.check(f"{kind}: signing out on one", status == 303, (status, text))
    left = [copy.send(site, "GET", "/account")[0] for site in (first, second)]
    checks.check(f"{kind}: ends the session on both, also for a copy of the cookie", left == [303, 303], left)


def main() -> int:
    """Checks one store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, metavar="URL")
    store = parser.parse_args().store
    command = shlex.split(os.environ.get("CARAFE_ACCOUNTS", ""))
    if not command:
        parser.error("name the example: $CARAFE_ACCOUNTS")
    checks = Checks()
    with tempfile.TemporaryDirectory() as home:
        options = ["--listen", "127.0.0.1:0", "--database", f"{home}/accounts.db", "--store", store]
        first = Server([*command, *options], SETTINGS)
        second = Server([*command, *options], SETTINGS)
        try:
            check_accounts(checks, store.split(":")[0], first.url, second.url)
        finally:
            first.stop()
            second.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
