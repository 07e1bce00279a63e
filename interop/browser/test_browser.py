"""Two stacks behind one origin, in real Chromium: nginx sends /py/ to Flask under gunicorn and /rs/ to Carafe.

    CARAFE_TWO_STACKS=target/release/examples/two-stacks python interop/browser/test_browser.py

The whole run is repeated with Carafe on actix-web where `CARAFE_TWO_STACKS_ACTIX` names that example.
Needs nginx, chromium and chromedriver (Debian: nginx, chromium, chromium-driver). The contract of the two halves is in
`two_stacks.py`. Screenshots go to target/browser/.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chromium import Chromium  # noqa: E402
from origin import Missing, Origin  # noqa: E402

from checks import Checks  # noqa: E402

WAYS = [("py", "rs"), ("rs", "py")]
OLD, NEW = "the old key", "the new key"
AWKWARD = "<b>Zoë</b> & \"☃\" '😀'"
OUT = "You are not logged in"


def log_in(browser: Chromium, origin: Origin, stack: str, name: str) -> str:
    """Logs in through the form; the text of the page that follows."""
    browser.open(f"{origin.url}/{stack}/login")
    return browser.submit(username=name)


def check_screens(checks: Checks, origin: Origin, browser: Chromium, screenshots: Path) -> None:
    """The tutorial's three screens, on each stack."""
    for stack in ("py", "rs"):
        text = browser.open(f"{origin.url}/{stack}/")
        browser.screenshot(screenshots / f"{stack}-1-logged-out.png")
        checks.check(f"{stack}: the visitor is logged out", OUT in text, text)
        browser.follow("click here to log in")
        browser.screenshot(screenshots / f"{stack}-2-form.png")
        text = browser.submit(username="admin")
        browser.screenshot(screenshots / f"{stack}-3-logged-in.png")
        checks.check(f"{stack}: logged in by the form", "Logged in as admin" in text, text)
        cookie = browser.driver.get_cookie("session") or {}
        attributes = cookie.get("httpOnly"), cookie.get("path"), cookie.get("secure"), "expiry" in cookie
        checks.check(f"{stack}: the browser keeps Flask's cookie", attributes == (True, "/", False, False), cookie)
        text = browser.follow("click here to log out")
        checks.check(f"{stack}: logged out by the link", OUT in text, text)
        checks.check(f"{stack}: the cookie is gone", browser.driver.get_cookie("session") is None)


def check_shared_login(checks: Checks, origin: Origin, browser: Chromium) -> None:
    """Log in on one, be greeted on the other; log out on one, be out on both."""
    for here, there in WAYS:
        for name in ("admin", AWKWARD):
            log_in(browser, origin, here, name)
            text = browser.open(f"{origin.url}/{there}/")
            greeted = f"Logged in as {name}" in text and not browser.elements("b")
            checks.check(f"logged in on {here}, greeted on {there} ({name})", greeted, text)
        browser.follow("click here to log out")
        texts = [browser.open(f"{origin.url}/{stack}/") for stack in (here, there)]
        checks.check(f"logged out on {there}, out on both", all(OUT in text for text in texts), texts)


def check_flash(checks: Checks, origin: Origin, browser: Chromium) -> None:
    """Flash on one, see it on the other, once."""
    for here, there in WAYS:
        browser.open(f"{origin.url}/{here}/flash")
        browser.submit(message="hello")
        browser.open(f"{origin.url}/{there}/flash")
        browser.submit(message=AWKWARD, category="error")
        browser.open(f"{origin.url}/{there}/messages")
        shown = [(item.get_attribute("class"), item.text) for item in browser.elements("li")]
        expected = [("message", "hello"), ("error", AWKWARD)]
        checks.check(f"flashed on {here} and {there}, shown on {there}", shown == expected, shown)
        texts = [browser.open(f"{origin.url}/{stack}/messages") for stack in (here, there)]
        checks.check(f"shown once (flashed on {here})", all("No messages" in text for text in texts), texts)


def fetch(url: str, jar: CookieJar, form: dict[str, str] | None = None) -> tuple[str, str]:
    """A page and nginx's `X-Cache`, by a plain client with a cookie jar."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))
    with opener.open(url, None if form is None else urlencode(form).encode(), timeout=10) as answer:
        return answer.read().decode(), answer.headers.get("X-Cache", "")


def check_cache(checks: Checks, origin: Origin, browser: Chromium) -> None:
    """A second user through the caching nginx never sees the first one's page."""
    for stack in ("py", "rs"):
        private = f"{origin.url}/{stack}/private"
        log_in(browser, origin, stack, "first")
        text = browser.open(private)
        checks.check(f"{stack}: the first user's private page", "for first" in text, text)
        jar = CookieJar()
        value = (browser.driver.get_cookie("session") or {})["value"]
        again = urllib.request.Request(private, headers={"Cookie": f"session={value}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(again, timeout=10) as answer:
            hit = answer.headers.get("X-Cache"), "for first" in answer.read().decode()
        checks.check(f"{stack}: nginx has it cached for the first user", hit == ("HIT", True), hit)
        checks.check(f"{stack}: a stranger gets another page", "for nobody" in fetch(private, jar)[0])
        fetch(f"{origin.url}/{stack}/login", jar, {"username": "second"})
        pages = [fetch(private, jar) for _ in range(2)]
        own = all("for second" in page for page, _ in pages) and pages[1][1] == "HIT"
        checks.check(f"{stack}: the second user gets a page of his own, cached too", own, pages)
        with Chromium() as other:
            log_in(other, origin, stack, "third")
            text = other.open(private)
        checks.check(f"{stack}: so does a third one in another browser", "for third" in text, text)
        browser.open(f"{origin.url}/{stack}/logout")
        text = browser.open(private)
        checks.check(f"{stack}: after logging out the browser shows no old page", "for nobody" in text, text)
    careless = f"{origin.url}/careless/private"
    jar = CookieJar()
    fetch(f"{origin.url}/py/login", jar, {"username": "first"})
    fetch(careless, jar)
    checks.check("without Vary the second user would see it", "for first" in fetch(careless, CookieJar())[0])


def check_rotation(checks: Checks, origin: Origin, browser: Chromium) -> None:
    """A new key on one side after the other; no visitor is logged out at any step.

    What one side signs the other must accept at every step. So the side that changes last first takes the new key as a
    fallback, the side that changes first has the old one as its fallback, and only then does the last one change.
    """
    log_in(browser, origin, "py", "admin")
    browser.post(f"{origin.url}/py/remember")
    reader = CookieJar()
    fetch(f"{origin.url}/rs/login", reader, {"username": "reader"})
    steps: list[tuple[str, str, str, list[str]]] = [
        ("py accepts the new key", "py", OLD, [NEW]),
        ("rs signs with the new key, the old one is a fallback", "rs", NEW, [OLD]),
        ("py signs with the new key, the old one is a fallback", "py", NEW, [OLD]),
    ]
    for name, stack, key, fallbacks in steps:
        origin.restart(stack, key, fallbacks)
        # A permanent session is signed anew by each side that it passes; a reader's stays as it is.
        texts = [browser.open(f"{origin.url}/{side}/") for side in ("rs", "py", "rs", "py")]
        checks.check(f"{name}: the browser stays logged in", all("Logged in as admin" in text for text in texts), texts)
        pages = [fetch(f"{origin.url}/{side}/", reader)[0] for side in ("py", "rs")]
        checks.check(f"{name}: so does one who only reads", all("Logged in as reader" in page for page in pages), pages)
        fresh = CookieJar()
        for here, there in WAYS:
            fetch(f"{origin.url}/{here}/login", fresh, {"username": f"new on {here}"})
            page = fetch(f"{origin.url}/{there}/", fresh)[0]
            checks.check(
                f"{name}: who logs in on {here} is known on {there}", f"Logged in as new on {here}" in page, page
            )
    for stack in ("py", "rs"):
        origin.restart(stack, NEW)
    text = browser.open(f"{origin.url}/rs/")
    checks.check("without fallbacks: what was signed anew stays", "Logged in as admin" in text, text)
    page = fetch(f"{origin.url}/rs/", reader)[0]
    checks.check("without fallbacks: what only the old key signed is gone", OUT in page, page)


def check_all(checks: Checks, command: str, screenshots: Path) -> None:
    """Everything, with this example as Carafe's half."""
    origin = Origin(shlex.split(command), OLD)
    try:
        with Chromium() as browser:
            check_screens(checks, origin, browser, screenshots)
            check_shared_login(checks, origin, browser)
            check_flash(checks, origin, browser)
            check_cache(checks, origin, browser)
            check_rotation(checks, origin, browser)
    finally:
        origin.stop()


def main() -> int:
    """Runs all checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--two-stacks",
        default=os.environ.get("CARAFE_TWO_STACKS", ""),
        metavar="COMMAND",
        help="default: $CARAFE_TWO_STACKS",
    )
    parser.add_argument(
        "--two-stacks-actix",
        default=os.environ.get("CARAFE_TWO_STACKS_ACTIX", ""),
        metavar="COMMAND",
        help="the same on actix-web; default: $CARAFE_TWO_STACKS_ACTIX",
    )
    screenshots = Path(__file__).resolve().parents[2] / "target" / "browser"
    parser.add_argument("--screenshots", type=Path, default=screenshots, metavar="DIRECTORY")
    arguments = parser.parse_args()
    if not arguments.two_stacks:
        parser.error("name the two-stacks example: $CARAFE_TWO_STACKS or --two-stacks")
    checks = Checks()
    try:
        check_all(checks, arguments.two_stacks, arguments.screenshots)
        if arguments.two_stacks_actix:
            print("on actix-web:")
            check_all(checks, arguments.two_stacks_actix, arguments.screenshots / "actix")
    except Missing as missing:
        print(missing)
        return 2
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
