"""Logins of real Flask-Login and of Carafe behind one origin, in real Chromium: nginx sends /py/ to Flask and /rs/ to Carafe.

    CARAFE_SHARED_LOGIN=target/release/examples/shared-login python interop/browser/test_flask_login.py

Needs nginx, chromium and chromedriver (Debian: nginx, chromium, chromium-driver). The contract of the two halves is in
`shared_login.py`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chromium import Chromium  # noqa: E402
from origin import Missing, Origin  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

from checks import Checks  # noqa: E402

WAYS = [("py", "rs"), ("rs", "py")]
KEY = "a key that both halves of the site have"
AGENT = "Mozilla/5.0 (another browser)"


class Visitor:
    """A user of the site at one browser."""

    def __init__(self, browser: Chromium, origin: Origin) -> None:
        self.browser, self.url = browser, origin.url

    def seen(self, stack: str) -> str:
        """The user that one half takes the visitor for."""
        self.browser.open(f"{self.url}/{stack}/")
        return self.browser.elements("p")[0].text

    def log_in(self, stack: str, *boxes: str, form: str = "") -> None:
        """Logs in on one half, by the form that the other half shows if that is named."""
        self.browser.open(f"{self.url}/{form or stack}/")
        for box in boxes:
            self.browser.driver.find_element(By.NAME, box).click()
        self._send_to(stack)
        self.browser.submit(username="42")

    def press(self, stack: str, button: str, form: str = "") -> None:
        """Presses a button on one half, or one of the other half's that is sent there."""
        self.browser.open(f"{self.url}/{form or stack}/")
        self._send_to(stack)
        self.browser.press(f"#{button}")

    def _send_to(self, stack: str) -> None:
        script = "for (const f of document.forms) f.action = f.action.replace(/\\/(py|rs)\\//, arguments[0])"
        self.browser.driver.execute_script(script, f"/{stack}/")

    def cookies(self) -> set[str]:
        """The names of the browser's cookies."""
        return {cookie["name"] for cookie in self.browser.driver.get_cookies()}

    def forget(self) -> None:
        """Drops all cookies."""
        self.browser.driver.delete_all_cookies()


def check_login(checks: Checks, visitor: Visitor, mode: str) -> None:
    """Log in on one, be the same fresh user on both; log out on the other, be out on both."""
    for here, there in WAYS:
        visitor.log_in(here, "remember")
        seen = [visitor.seen(stack) for stack in (here, there, here)]
        checks.check(f"{mode}: logged in on {here}, the same fresh user on both", seen == ["User 42, fresh"] * 3, seen)
        remembered = "remember_token" in visitor.cookies()
        checks.check(f"{mode}: {here} has the browser remember the user", remembered)
        text = visitor.browser.open(f"{visitor.url}/{there}/account")
        checks.check(f"{mode}: {there} shows the account", text == "The account of 42", text)
        visitor.press(there, "logout")
        seen = [visitor.seen(stack) for stack in (here, there, here)]
        checks.check(f"{mode}: logged out on {there}, out on both", seen == ["No user"] * 3, seen)
        checks.check(f"{mode}: {there} has removed the remember cookie", "remember_token" not in visitor.cookies())


def check_forms(checks: Checks, visitor: Visitor, mode: str) -> None:
    """The form that one half shows is sent to the other, whose token it has."""
    for here, there in WAYS:
        visitor.log_in(there, form=here)
        seen = visitor.seen(there)
        checks.check(f"{mode}: {here}'s form logs in on {there}", seen == "User 42, fresh", seen)
        visitor.press(there, "logout", form=here)
        checks.check(f"{mode}: {here}'s form logs out on {there}", visitor.seen(here) == "No user")
        visitor.browser.open(f"{visitor.url}/{here}/")
        visitor.browser.driver.execute_script("document.querySelector('[name=csrf_token]').remove()")
        visitor.browser.submit(username="42")
        refused = visitor.browser.status()
        checks.check(f"{mode}: {here} refuses a form without a token", refused in (400, 403), refused)
        checks.check(f"{mode}: and no user is logged in", visitor.seen(there) == "No user")


def check_restart(checks: Checks, visitor: Visitor, mode: str) -> None:
    """Restart the browser: remembered and not fresh on both; confirm on one: fresh on both."""
    for here, there in WAYS:
        visitor.log_in(here, "remember")
        visitor.browser.restart()
        checks.check(f"{mode}: the session's cookie is gone with the browser", "session" not in visitor_cookies(visitor))
        seen = [visitor.seen(stack) for stack in (there, here, there)]
        if mode == "strong":
            # As released: what restores the user makes a session without a fingerprint, which the next request ends.
            expected = ["User 42, not fresh", "No user", "No user"]
            checks.check(f"strong: {there} remembers the user for one page, as Flask-Login does", seen == expected, seen)
            continue
        checks.check(f"{mode}: remembered and not fresh on both", seen == ["User 42, not fresh"] * 3, seen)
        visitor.press(here, "confirm")
        seen = [visitor.seen(stack) for stack in (there, here)]
        checks.check(f"{mode}: confirmed on {here}, fresh on both", seen == ["User 42, fresh"] * 2, seen)
        visitor.press(here, "logout")
        seen = [visitor.seen(stack) for stack in (there, here)]
        checks.check(f"{mode}: logged out on {here}, out on both", seen == ["No user"] * 2, seen)


def visitor_cookies(visitor: Visitor) -> set[str]:
    """The names of all cookies, whatever page the browser is on."""
    return {cookie["name"] for cookie in visitor.browser.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]}


def check_protection(checks: Checks, visitor: Visitor, mode: str) -> None:
    """Another agent: the login is not fresh any more, or ends."""
    agent = visitor.browser.driver.execute_script("return navigator.userAgent")
    for here, there in WAYS:
        for boxes in ((), ("permanent",)):
            ends = mode == "strong" and not boxes
            visitor.log_in(here, "remember", *boxes)
            override(visitor, AGENT)
            seen = [visitor.seen(stack) for stack in (there, here)]
            expected = ["No user" if ends else "User 42, not fresh"] * 2
            kind = "a permanent login" if boxes else "a login"
            checks.check(f"{mode}: {kind} of {here} under another agent", seen == expected, seen)
            checks.check(f"{mode}: the remember cookie goes with it", ("remember_token" in visitor.cookies()) is not ends)
            override(visitor, agent)
            visitor.forget()


def override(visitor: Visitor, agent: str) -> None:
    """Has the browser send another `User-Agent`."""
    visitor.browser.driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent})


def check_mode(checks: Checks, command: str, mode: str) -> None:
    """Everything with one session protection."""
    settings = {"FLASK_SESSION_PROTECTION": mode}
    origin = Origin(shlex.split(command), KEY, "shared_login", settings)
    try:
        with Chromium() as browser:
            visitor = Visitor(browser, origin)
            for check in (check_login, check_forms, check_restart, check_protection):
                check(checks, visitor, mode)
                visitor.browser.open(f"{origin.url}/py/")
                visitor.forget()
    finally:
        origin.stop()


def main() -> int:
    """Runs all checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("CARAFE_SHARED_LOGIN", "")
    parser.add_argument("--shared-login", default=default, metavar="COMMAND", help="default: $CARAFE_SHARED_LOGIN")
    arguments = parser.parse_args()
    if not arguments.shared_login:
        parser.error("name the shared-login example: $CARAFE_SHARED_LOGIN or --shared-login")
    checks = Checks()
    try:
        for mode in ("basic", "strong"):
            check_mode(checks, arguments.shared_login, mode)
    except Missing as missing:
        print(missing)
        return 2
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
