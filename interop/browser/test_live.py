"""The example `live` in real Chromium: tabs whose connections end when the user logs out in another one.

    CARAFE_LIVE=target/debug/examples/live python interop/browser/test_live.py

Two tabs are served by two processes, on Redis and PostgreSQL where `CARAFE_REDIS_URL` and
`CARAFE_POSTGRES_URL` say where they are, and by one process in memory. Needs chromium and chromedriver.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chromium import Chromium  # noqa: E402
from cutting import Proxy  # noqa: E402
from origin import Missing, Process, free_port  # noqa: E402

from checks import Checks  # noqa: E402

#: The time in which the other tab has to notice a logout, in seconds, where the store tells.
AT_ONCE = 1.0
#: The interval of the periodic check where it doesn't, in seconds.
INTERVAL = 3
#: So seldom that no check notices.
NEVER = 3600

STATE = "return ['ws', 'events'].map(id => document.getElementById(id).textContent)"
#: Remembers when the connections of a tab were closed.
WATCH = """
    window.endings = {};
    for (const id of ['ws', 'events']) {
        const note = () => { window.endings[id] ||= Date.now(); };
        new MutationObserver(note).observe(document.getElementById(id), { childList: true });
    }
"""
CLOSED = "return Object.keys(window.endings).length === 2 && [window.endings.ws, window.endings.events]"


class Site:
    """Processes of the example that share their sessions."""

    def __init__(self, command: Sequence[str], store: str, server: str, count: int, interval: int) -> None:
        self.urls: list[str] = []
        self._log = tempfile.TemporaryDirectory(prefix="live-")
        self._processes: list[Process] = []
        key = secrets.token_hex(32)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
        environment |= {"SECRET_KEY": key, "CARAFE_WATCH_INTERVAL": str(interval)}
        for number in range(count):
            port = free_port()
            options = ["--listen", f"127.0.0.1:{port}", "--store", store, "--server", server]
            log = Path(self._log.name) / f"log-{number}"
            self._processes.append(Process([*command, *options], port, log, [key], env=environment))
            self.urls.append(f"http://localhost:{port}")

    def stop(self) -> None:
        for process in self._processes:
            process.stop()
        self._log.cleanup()


class Tabs:
    """Two tabs of one browser, each at a process of the site."""

    def __init__(self, browser: Chromium, site: Site) -> None:
        self.browser = browser
        self.first, self.second = site.urls[0], site.urls[-1]
        browser.open(f"{self.first}/")
        self._handles = [browser.driver.current_window_handle]
        browser.driver.switch_to.new_window("tab")
        self._handles.append(browser.driver.current_window_handle)

    def close(self) -> None:
        self.browser.driver.close()
        self.browser.driver.switch_to.window(self._handles[0])

    def turn_to(self, number: int) -> None:
        self.browser.driver.switch_to.window(self._handles[number])

    def state(self, *expected: str) -> list[str]:
        """What the tab's connections say, once they say this."""
        said = f"{STATE}.join() === arguments[0]"
        self.browser.wait_until(said, ",".join(expected))
        return list(self.browser.driver.execute_script(STATE))

    def log_in(self, name: str) -> None:
        self.browser.driver.find_element("name", "username").send_keys(name)
        self.browser.press("form[action='/login'] button")

    def log_out_in_the_first(self) -> tuple[list[str], float]:
        """Logs out in the first tab: what the second one says then, and after how many seconds."""
        self.turn_to(1)
        self.browser.driver.execute_script(WATCH)
        self.turn_to(0)
        began = self.browser.driver.execute_script("return Date.now()")
        self.browser.press("#logout")
        self.turn_to(1)
        state = self.state("closed 4001", "ended")
        closed = self.browser.driver.execute_script(CLOSED) or [float("inf")]
        return state, (max(closed) - began) / 1000


def check_tabs(checks: Checks, name: str, site: Site, browser: Chromium) -> None:
    """Logged in in one tab, known in the other; logged out in one, closed in the other."""
    browser.driver.delete_all_cookies()
    tabs = Tabs(browser, site)
    tabs.turn_to(0)
    checks.check(f"{name}: a stranger is one", tabs.state("user=-", "user=-") == ["user=-"] * 2)
    tabs.log_in("ann")
    tabs.turn_to(1)
    browser.open(f"{tabs.second}/")
    state = tabs.state("user=ann", "user=ann")
    checks.check(f"{name}: the other tab knows who it is", state == ["user=ann"] * 2, state)
    tabs.turn_to(0)
    tabs.log_in("Zoë")
    tabs.turn_to(1)
    browser.driver.find_element("id", "ask").click()
    state = tabs.state("user=Zoë", "user=ann")
    checks.check(f"{name}: its socket reads what another request has written", state == ["user=Zoë", "user=ann"], state)
    state, seconds = tabs.log_out_in_the_first()
    closed = state == ["closed 4001", "ended"] and seconds <= AT_ONCE
    checks.check(f"{name}: a logout closes the other tab's connections at once", closed, (state, seconds))
    # A new login begins another session.
    tabs.turn_to(0)
    tabs.log_in("ann")
    tabs.turn_to(1)
    browser.open(f"{tabs.second}/")
    tabs.state("user=ann", "user=ann")
    tabs.turn_to(0)
    tabs.log_in("ann")
    tabs.turn_to(1)
    state = tabs.state("closed 4001", "ended")
    checks.check(f"{name}: so does a new login", state == ["closed 4001", "ended"], state)
    tabs.close()


def check_cut(checks: Checks, name: str, site: Site, browser: Chromium, proxy: Proxy) -> None:
    """With what the store tells kept back, the periodic check closes the other tab."""
    browser.driver.delete_all_cookies()
    tabs = Tabs(browser, site)
    tabs.turn_to(0)
    tabs.log_in("ann")
    tabs.turn_to(1)
    browser.open(f"{tabs.second}/")
    tabs.state("user=ann", "user=ann")
    # Until the process listens.
    time.sleep(1)
    proxy.cut = True
    state, seconds = tabs.log_out_in_the_first()
    closed = state == ["closed 4001", "ended"] and seconds <= INTERVAL + AT_ONCE
    detail = (state, seconds)
    checks.check(f"{name}: a logout that nothing tells of closes them within the interval", closed, detail)
    tabs.close()


def through(proxy: Proxy, url: str) -> str:
    """The URL of a store behind the proxy."""
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    netloc = (f"{credentials}@" if credentials else "") + f"127.0.0.1:{proxy.port}"
    return parts._replace(netloc=netloc).geturl()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--live", default=os.environ.get("CARAFE_LIVE", "target/debug/examples/live"))
    command = shlex.split(parser.parse_args().live)
    stores = {"memory": "memory"}
    for name in ("redis", "postgres"):
        if url := os.environ.get(f"CARAFE_{name.upper()}_URL"):
            stores[name] = url
    checks = Checks()
    try:
        with Chromium() as browser:
            for store, url in stores.items():
                for server in ("axum", "actix"):
                    site = Site(command, url, server, 1 if store == "memory" else 2, NEVER)
                    try:
                        check_tabs(checks, f"{store}, {server}", site, browser)
                    finally:
                        site.stop()
                if store != "memory":
                    parts = urlsplit(url)
                    proxy = Proxy((parts.hostname or "127.0.0.1", parts.port or 0))
                    site = Site(command, through(proxy, url), "axum", 2, INTERVAL)
                    try:
                        check_cut(checks, f"{store}, cut", site, browser, proxy)
                    finally:
                        site.stop()
                        proxy.stop()
    except Missing as missing:
        print(f"test_live: {missing}", file=sys.stderr)
        return 2
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
