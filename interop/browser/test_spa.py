"""The example `spa` in real Chromium: a page on one origin, its API on another, and what other sites can't do.

    CARAFE_SPA=target/release/examples/spa python interop/browser/test_spa.py

Needs chromium and chromedriver (Debian: chromium, chromium-driver). Screenshots go to target/browser/.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chromium import Chromium  # noqa: E402
from origin import Missing, free_port  # noqa: E402
from served import Elsewhere, Site  # noqa: E402

from checks import Checks  # noqa: E402

AWKWARD = "<b>Zoë</b> & \"☃\" '😀'"
SHOWS = "return document.body.innerText.includes(arguments[0])"
#: The answer of the API to a page of another origin: the status, or why there is none.
FETCH = """
    const [url, request, done] = arguments;
    fetch(url, request).then(answer => done(answer.status), error => done(error.name));
"""


def send(browser: Chromium, selector: str, text: str) -> None:
    """Fills one of the page's forms in and sends it."""
    browser.elements(f"{selector} input")[0].send_keys(text)
    browser.elements(f"{selector} button")[0].click()


def notes(browser: Chromium) -> list[str]:
    return [item.text for item in browser.elements("#notes li")]


def check_notes(checks: Checks, site: Site, api: str, browser: Chromium, screenshots: Path) -> None:
    """Signing in, writing, signing out, all without leaving the page."""
    browser.open(site.url)
    browser.wait_until("return !document.querySelector('#login').hidden")
    browser.screenshot(screenshots / "spa-1-signed-out.png")
    send(browser, "#login", "ann")
    checks.check("signed in by fetch", browser.wait_until(SHOWS, "Signed in as ann"), browser.text())
    for text in ("milk", AWKWARD):
        send(browser, "#add", text)
        browser.wait_until(SHOWS, text)
    checks.check("notes are kept, as text", notes(browser) == ["milk", AWKWARD], notes(browser))
    browser.screenshot(screenshots / "spa-2-notes.png")
    browser.open(site.url)
    checks.check("they are there after a reload", browser.wait_until(SHOWS, AWKWARD), browser.text())
    cookie = browser.driver.get_cookie("__Host-session") or {}
    attributes = cookie.get("secure"), cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("path")
    checks.check("the API's cookie is a hardened one", attributes == (True, True, "Lax", "/"), cookie)


def check_tabs(checks: Checks, site: Site, browser: Chromium) -> None:
    """A page whose token is old gets a new one, and says that something went wrong."""
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open(site.url)
    browser.wait_until(SHOWS, "Signed in as ann")
    browser.elements("#logout")[0].click()
    signed_out = browser.wait_until("return !document.querySelector('#login').hidden")
    checks.check("signed out by fetch", signed_out, browser.text())
    send(browser, "#login", "bob")
    browser.wait_until(SHOWS, "Signed in as bob")
    browser.driver.close()
    browser.driver.switch_to.window(first)
    send(browser, "#add", "a note of ann's")
    told = browser.wait_until(SHOWS, "Forbidden") and "Signed in as bob" in browser.text()
    checks.check("a page of the session before is refused, and says so", told, browser.text())
    checks.check("and has written nothing", notes(browser) == [], notes(browser))
    send(browser, "#add", "a note of bob's")
    checks.check("it goes on with a new token", browser.wait_until(SHOWS, "a note of bob's"), browser.text())


def check_elsewhere(checks: Checks, site: Site, api: str, browser: Chromium, elsewhere: Elsewhere) -> None:
    """Pages of other origins can neither read nor write, though the browser sends them the cookie."""
    json = {"Content-Type": "application/json"}
    body = '{"text": "forged"}'
    for host in ("localhost", "127.0.0.1"):
        browser.open(f"http://{host}:{elsewhere.port}/")
        post = {"method": "POST", "credentials": "include", "body": body}
        for name, path, request, expected in (
            ("can't read the state", "/state", {"credentials": "include"}, "TypeError"),
            ("can't send JSON", "/notes", post | {"headers": json}, "TypeError"),
            ("can't read what text is answered", "/notes", post, "TypeError"),
            # It does arrive: what refuses it is the layer, and the state below shows it.
            ("can send text and learns nothing", "/notes", post | {"mode": "no-cors"}, 0),
        ):
            result = browser.driver.execute_async_script(FETCH, api + path, request)
            checks.check(f"a page of {host} {name}", result == expected, result)
    browser.open(site.url)
    browser.wait_until(SHOWS, "Signed in as bob")
    checks.check("nothing was written", notes(browser) == ["a note of bob's"], notes(browser))
    # The page's own origin without a token, as from a script that was slipped in elsewhere.
    request = {"method": "POST", "credentials": "include", "headers": json, "body": body}
    result = browser.driver.execute_async_script(FETCH, api + "/notes", request)
    checks.check("a request without a token is refused, readably", result == 403, result)


def main() -> int:
    """Runs all checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = os.environ.get("CARAFE_SPA", "")
    parser.add_argument("--spa", default=command, metavar="COMMAND", help="default: $CARAFE_SPA")
    screenshots = Path(__file__).resolve().parents[2] / "target" / "browser"
    parser.add_argument("--screenshots", type=Path, default=screenshots, metavar="DIRECTORY")
    arguments = parser.parse_args()
    if not arguments.spa:
        parser.error("name the spa example: $CARAFE_SPA or --spa")
    checks = Checks()
    elsewhere = Elsewhere()
    port = free_port()
    api = f"http://localhost:{port}"
    try:
        with Site(shlex.split(arguments.spa), "--api", f"127.0.0.1:{port}") as site, Chromium() as browser:
            check_notes(checks, site, api, browser, arguments.screenshots)
            check_tabs(checks, site, browser)
            check_elsewhere(checks, site, api, browser, elsewhere)
    except Missing as missing:
        print(missing)
        return 2
    finally:
        elsewhere.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
