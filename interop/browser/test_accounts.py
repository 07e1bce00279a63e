"""The example `accounts` in real Chromium: registering, signing in and out, and what must not work.

    CARAFE_ACCOUNTS=target/release/examples/accounts python interop/browser/test_accounts.py

Needs chromium and chromedriver (Debian: chromium, chromium-driver). Screenshots go to target/browser/.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chromium import Chromium  # noqa: E402
from origin import Missing, free_port  # noqa: E402
from served import Elsewhere, Site  # noqa: E402

from checks import Checks  # noqa: E402

NAME, PASSWORD, NEW_PASSWORD = "ann", "correct horse", "battery staple"
WRONG = "That is not the name and the password of an account."
PRIVATE = f"This page is private to {NAME}."


def sign_in(browser: Chromium, site: Site, password: str = PASSWORD) -> str:
    """Signs in through the form; the text of the page that follows."""
    browser.open(f"{site.url}/login")
    return browser.submit(name=NAME, password=password)


def check_registering(checks: Checks, site: Site, browser: Chromium, screenshots: Path) -> None:
    browser.open(f"{site.url}/account/password")
    checks.check("a private page leads to the sign-in page", browser.path().startswith("/login?next="), browser.path())
    browser.follow("Register")
    browser.screenshot(screenshots / "accounts-1-register.png")
    text = browser.submit(name=NAME, password="password ann")
    refused = browser.status() == 422 and "A password must not contain the name." in text
    checks.check("a bad password is refused with the reason", refused, text)
    text = browser.submit(password=PASSWORD)
    checks.check("registering signs in", f"Welcome, {NAME}." in text, text)
    checks.check("and leads to the page that was wanted", browser.path() == "/account/password", browser.path())
    text = browser.open(f"{site.url}/account")
    checks.check("a message is shown once", "Welcome" not in text and PRIVATE in text, text)
    browser.screenshot(screenshots / "accounts-2-account.png")
    cookie = browser.driver.get_cookie("__Host-session") or {}
    attributes = cookie.get("secure"), cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("path")
    checks.check("on localhost the browser keeps the hardened cookie", attributes == (True, True, "Lax", "/"), cookie)
    with Chromium() as other:
        other.open(f"{site.url}/register")
        text = other.submit(name=NAME.upper(), password=NEW_PASSWORD)
        checks.check("a name is given once", "That name is taken." in text, text)


def check_signing_in(checks: Checks, site: Site, browser: Chromium, screenshots: Path) -> None:
    text = browser.press("#logout")
    checks.check("signing out says so, once", "You are signed out." in text, text)
    checks.check("and the visitor is signed out", "You are not signed in." in browser.open(site.url), browser.text())
    for name, password in ((NAME, "incorrect horse"), ("stranger", PASSWORD)):
        browser.open(f"{site.url}/login")
        text = browser.submit(name=name, password=password)
        checks.check(f"a wrong name or password is refused ({name})", browser.status() == 422 and WRONG in text, text)
    browser.screenshot(screenshots / "accounts-3-wrong.png")
    for wanted, arrived in (
        ("/account/sessions", "/account/sessions"),
        ("//evil.example/", "/account"),
        ("https://evil.example/", "/account"),
        ("/%5Cevil.example/", "/account"),
        ("/%09/evil.example/", "/account"),
    ):
        browser.open(f"{site.url}/login?next={wanted}")
        browser.submit(name=NAME, password=PASSWORD)
        checks.check(f"signing in leads to this site ({wanted})", browser.path() == arrived, browser.driver.current_url)
        browser.press("#logout") if arrived == "/account" else browser.press("[aria-label^='Sign out']")


def check_sessions(checks: Checks, site: Site, browser: Chromium, screenshots: Path) -> None:
    """The page of sessions, with two browsers."""
    sign_in(browser, site)
    own = browser.elements("#public-id")[0].text
    with Chromium() as other:
        text = sign_in(other, site)
        checks.check("a second browser is signed in", PRIVATE in text, text)
        browser.follow("Your sessions")
        browser.screenshot(screenshots / "accounts-4-sessions.png")
        items = [item.text for item in browser.elements(".sessions li")]
        listed = len(items) == 2 and all("on Linux" in item and "127.0.0.1" in item for item in items)
        checks.check("both are listed, with browser and address", listed, items)
        current = [item.text for item in browser.elements(".sessions .current")]
        checks.check("one is marked as this session", len(current) == 1 and "This session" in current[0], items)
        shown = [button.get_attribute("value") for button in browser.elements(".current button")]
        checks.check("it has the public id that the account page shows", shown == [own], shown)
        browser.press("li:not(.current) button")
        checks.check("the page shows one less", len(browser.elements(".sessions li")) == 1, browser.text())
        text = other.follow("Change your password")
        out = other.path().startswith("/login") and "private" not in text
        checks.check("the other browser is out at its next click", out, text)
        sign_in(other, site)
        browser.open(f"{site.url}/account/sessions")
        browser.press("[value=others]")
        text = other.open(f"{site.url}/account")
        checks.check("so it is when all others are ended", other.path().startswith("/login"), text)
        text = browser.open(f"{site.url}/account")
        checks.check("this one stays", PRIVATE in text, text)
        sign_in(other, site)
        browser.open(f"{site.url}/account/sessions")
        browser.press("[value=all]")
        paths = [browser.path(), other.open(f"{site.url}/account") and other.path()]
        checks.check("both are out when all are ended", all(path.startswith("/login") for path in paths), paths)


def check_password(checks: Checks, site: Site, browser: Chromium) -> None:
    """A new password ends the other sessions and not this one."""
    sign_in(browser, site)
    with Chromium() as other:
        sign_in(other, site)
        before = (browser.driver.get_cookie("__Host-session") or {})["value"]
        browser.follow("Change your password")
        form = {"current": PASSWORD, "new": NEW_PASSWORD}
        fill(browser, **form | {"current": "incorrect horse"})
        text = browser.press("#form button")
        checks.check("the current password is asked for", "That is not your password." in text, text)
        fill(browser, **form)
        text = browser.press("#form button")
        checks.check("the password is changed", "You have a new password" in text and PRIVATE in text, text)
        after = (browser.driver.get_cookie("__Host-session") or {})["value"]
        checks.check("the session has a new id", before != after)
        other.open(f"{site.url}/account")
        checks.check("other sessions are out", other.path().startswith("/login"), other.path())
        text = other.submit(name=NAME, password=PASSWORD)
        checks.check("the old password is refused", WRONG in text, text)
        browser.open(f"{site.url}/account/password")
        fill(browser, current=NEW_PASSWORD, new=PASSWORD)
        browser.press("#form button")
    browser.press("#logout")


def fill(browser: Chromium, **fields: str) -> None:
    for name, value in fields.items():
        browser.elements(f"[name={name}]")[0].send_keys(value)


def check_back(checks: Checks, site: Site, browser: Chromium) -> None:
    """After signing out, the back button leads to nothing private."""
    sign_in(browser, site)
    private = browser.elements("#public-id")[0].text
    browser.follow("Change your password")
    browser.open(f"{site.url}/account/sessions")
    browser.open(f"{site.url}/account")
    browser.press("#logout")
    seen = []
    for _ in range(4):
        text = browser.back()
        seen.append((browser.path(), text))
        shown = PRIVATE in text or private in browser.driver.page_source or "This session" in text
        checks.check(f"back shows nothing private ({browser.path()})", not shown, text)
    checks.check("back leads to the sign-in page", all(path.startswith("/login") for path, _ in seen), seen)


def check_forgery(checks: Checks, site: Site, browser: Chromium, elsewhere: Elsewhere) -> None:
    """Forms of other sites are refused: of another host, and of this one's other port, whose forms carry the cookie."""
    sign_in(browser, site)
    for host in ("127.0.0.1", "localhost"):
        for path in ("/logout", "/account/password", "/account/sessions", "/login"):
            browser.driver.get(f"http://{host}:{elsewhere.port}/?{site.url}{path}")
            browser.wait_for(site.url)
            refused = browser.status() == 403 and "comes from another site" in browser.text()
            checks.check(f"a form from {host} to {path} is refused", refused, browser.text())
            text = browser.open(f"{site.url}/account")
            checks.check("and the user stays signed in", PRIVATE in text, text)
    browser.press("#logout")


def check_restart(checks: Checks, command: Sequence[str]) -> None:
    """With both in files, a restart ends no session."""
    with tempfile.TemporaryDirectory(prefix="accounts-") as home, Chromium() as browser:
        options = ["--database", f"{home}/accounts.db", "--store", f"sqlite:{home}/sessions.db"]
        port, key = free_port(), "a key that both runs of the server have"
        with Site(command, *options, port=port, key=key) as site:
            browser.open(f"{site.url}/register")
            text = browser.submit(name=NAME, password=PASSWORD)
            checks.check("sqlite: registered", PRIVATE in text, text)
        with Site(command, *options, port=port, key=key) as site:
            text = browser.open(f"{site.url}/account")
            checks.check("sqlite: a restart ends no session", PRIVATE in text, text)
            browser.press("#logout")
        with Site(command, *options, port=port, key=key) as site:
            browser.open(f"{site.url}/account")
            checks.check("sqlite: nor does it bring a session back", browser.path().startswith("/login"), browser.path())
            text = sign_in(browser, site)
            checks.check("sqlite: the account is still there", PRIVATE in text, text)


def check_sealed(checks: Checks, site: Site, browser: Chromium) -> None:
    """Sessions in cookies: ended by what the site remembers of them."""
    browser.open(f"{site.url}/register")
    browser.submit(name=NAME, password=PASSWORD)
    text = browser.text()
    checks.check("sealed: registered", PRIVATE in text and "in a cookie" in text, text)
    with Chromium() as other:
        sign_in(other, site)
        text = browser.press("#logout-everywhere")
        checks.check("sealed: signing out everywhere says so", "You are signed out everywhere." in text, text)
        other.open(f"{site.url}/account")
        checks.check("sealed: the other browser is out", other.path().startswith("/login"), other.path())
    text = sign_in(browser, site)
    checks.check("sealed: signing in works again", PRIVATE in text, text)
    copy = browser.driver.get_cookie("__Host-session") or {}
    browser.press("#logout")
    browser.driver.delete_all_cookies()
    browser.driver.add_cookie({name: copy[name] for name in ("name", "value", "path", "secure", "sameSite")})
    browser.open(f"{site.url}/account")
    checks.check("sealed: a copy of the cookie is of no use", browser.path().startswith("/login"), browser.path())


def main() -> int:
    """Runs all checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = os.environ.get("CARAFE_ACCOUNTS", "")
    parser.add_argument("--accounts", default=command, metavar="COMMAND", help="default: $CARAFE_ACCOUNTS")
    screenshots = Path(__file__).resolve().parents[2] / "target" / "browser"
    parser.add_argument("--screenshots", type=Path, default=screenshots, metavar="DIRECTORY")
    arguments = parser.parse_args()
    if not arguments.accounts:
        parser.error("name the accounts example: $CARAFE_ACCOUNTS or --accounts")
    command = shlex.split(arguments.accounts)
    checks = Checks()
    elsewhere = Elsewhere()
    try:
        with Site(command) as site, Chromium() as browser:
            check_registering(checks, site, browser, arguments.screenshots)
            check_signing_in(checks, site, browser, arguments.screenshots)
            check_sessions(checks, site, browser, arguments.screenshots)
            check_password(checks, site, browser)
            check_back(checks, site, browser)
            check_forgery(checks, site, browser, elsewhere)
        check_restart(checks, command)
        with Site(command, "--store", "sealed") as site, Chromium() as browser:
            check_sealed(checks, site, browser)
    except Missing as missing:
        print(missing)
        return 2
    finally:
        elsewhere.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
