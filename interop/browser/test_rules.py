"""Browsers' rules for cookies: what Carafe refuses, real Chromium drops or ignores, and it keeps the rest.

    python interop/browser/test_rules.py

Compares Chromium with the table of rules that `crates/carafe-format/tests/cookie_rules.rs` compares Carafe with, and
with the public suffixes of `crates/carafe-format/src/cookie/public_suffixes.txt`. Needs chromium and chromedriver.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chromium import Chromium  # noqa: E402
from origin import Missing  # noqa: E402

from checks import Checks  # noqa: E402

FORMAT = Path(__file__).resolve().parents[2] / "crates" / "carafe-format"
TABLE = FORMAT / "tests" / "vectors" / "cookie-rules.jsonl"
SUFFIXES = FORMAT / "src" / "cookie" / "public_suffixes.txt"

#: Top-level domains whose sites Chromium opens over HTTPS alone, which this server doesn't speak.
HTTPS_ALONE = (".app", ".dev")

#: The folder of the page, which is the path of a cookie whose own is ignored.
FOLDER = "/folder"


class Handler(BaseHTTPRequestHandler):
    """Sets the cookie that the query has."""

    def do_GET(self) -> None:
        """Answers any path."""
        self.send_response(200)
        for line in parse_qs(urlsplit(self.path).query).get("line", []):
            self.send_header("Set-Cookie", line)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_arguments: Any) -> None:
        """Says nothing."""


def kept(browser: Chromium, port: int, host: str, line: str) -> list[dict[str, Any]]:
    """The cookies that Chromium has after a page of this host has set one."""
    browser.driver.execute_cdp_cmd("Storage.clearCookies", {})
    url = f"http://{host}:{port}{FOLDER}/page"
    browser.open(url)
    script = "const done = arguments[1]; fetch('?' + new URLSearchParams({line: arguments[0]})).then(() => done())"
    browser.driver.execute_async_script(script, line)
    cookies: list[dict[str, Any]] = browser.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]
    return cookies


def check_table(checks: Checks, browser: Chromium, port: int) -> None:
    """Each row of the table."""
    for row in map(json.loads, TABLE.read_text().splitlines()):
        cookies = kept(browser, port, row["host"], row["line"])
        if not row["broken"]:
            checks.check(f"kept: {row['line']}", len(cookies) == 1, cookies)
        elif row["broken"] == ["Path"]:
            paths = [cookie["path"] for cookie in cookies]
            checks.check(f"its path is ignored: {row['line']}", paths == [FOLDER], cookies)
        else:
            checks.check(f"dropped: {row['line']}", cookies == [], cookies)


def check_suffixes(checks: Checks, browser: Chromium, port: int) -> None:
    """Each public suffix, and a site below it."""
    for suffix in SUFFIXES.read_text().split():
        if suffix.endswith(HTTPS_ALONE):
            continue
        host = f"shop.site.{suffix}"
        dropped = kept(browser, port, host, f"s=v; Domain={suffix}")
        below = kept(browser, port, host, f"s=v; Domain=site.{suffix}")
        checks.check(f"dropped for {suffix}, kept below it", (dropped, len(below)) == ([], 1), (dropped, below))


def main() -> int:
    """Runs all checks; the exit status."""
    checks = Checks()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Chromium(resolve_to="127.0.0.1") as browser:
            check_table(checks, browser, server.server_port)
            check_suffixes(checks, browser, server.server_port)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    finally:
        server.shutdown()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
