"""A headless Chromium with a profile of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import silence
from origin import program
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

# The browser asks for nothing but the pages under test.
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run
    --no-proxy-server --disable-background-networking --disable-component-update --disable-sync --disable-default-apps
    --disable-extensions --disable-domain-reliability --window-size=480,640""".split()


class Chromium:
    """One user at one browser."""

    def __init__(self, scripts: bool = True, resolve_to: str | None = None) -> None:
        """With `resolve_to`, every host is at that address."""
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        self._options = options = webdriver.ChromeOptions()
        options.binary_location = program("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        for flag in [*FLAGS, f"--user-data-dir={self._profile}"]:
            options.add_argument(flag)
        if resolve_to:
            options.add_argument(f"--host-resolver-rules=MAP * {resolve_to}")
        if not scripts:
            # Switches off the scripts of pages. Scripts that the tests themselves run there work all the same.
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self._profile, ignore_errors=True)
            raise
        self._left = 0

    def _start(self) -> None:
        service = webdriver.ChromeService(executable_path=program("chromedriver"))
        self.driver = webdriver.Chrome(options=self._options, service=service)
        self.driver.set_page_load_timeout(20)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _quit(self) -> None:
        # Of all sites, so that no server's log shows them.
        cookies = self.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]
        silence.note(*(cookie["value"].encode() for cookie in cookies))
        self.driver.quit()

    def restart(self) -> None:
        """Closes the browser and opens it again, with what it keeps of its profile."""
        self._quit()
        self._start()

    def open(self, url: str) -> str:
        """Opens a page and gives its text."""
        self.driver.get(url)
        return self.text()

    def text(self) -> str:
        """The text that the page shows."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def follow(self, link: str) -> str:
        """Clicks a link by its text; the next page's text."""
        return self._leave(lambda: self.driver.find_element(By.LINK_TEXT, link).click())

    def submit(self, **fields: str) -> str:
        """Fills the page's form in and sends it; the next page's text."""
        for name, value in fields.items():
            self.driver.find_element(By.NAME, name).send_keys(value)
        return self._leave(self.driver.find_element(By.TAG_NAME, "button").click)

    def press(self, selector: str) -> str:
        """Clicks the first button that a CSS selector finds; the next page's text."""
        return self._leave(self.driver.find_element(By.CSS_SELECTOR, selector).click)

    def back(self) -> str:
        """Presses the back button; the text of the page that it leads to."""
        return self._leave(self.driver.back)

    def path(self) -> str:
        """The path and query of the page."""
        parts = urlsplit(self.driver.current_url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def status(self) -> int:
        """The status with which the page was answered."""
        return int(self.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus"))

    def post(self, url: str) -> str:
        """Sends an empty form to `url`; the next page's text."""
        script = "const f = document.createElement('form'); f.method = 'post'; f.action = arguments[0];"
        script += "document.body.append(f); f.submit();"
        return self._leave(lambda: self.driver.execute_script(script, url))

    def wait_for(self, url: str) -> None:
        """Waits until a page below `url` is there."""
        arrived = "return document.readyState === 'complete' && location.href.startsWith(arguments[0])"
        WebDriverWait(self.driver, 20, poll_frequency=0.02).until(lambda driver: driver.execute_script(arrived, url))

    def wait_until(self, script: str, *arguments: object) -> bool:
        """Waits until a script of the test's returns true; whether it did within 20 s."""
        waiting = WebDriverWait(self.driver, 20, poll_frequency=0.02)
        try:
            return bool(waiting.until(lambda driver: driver.execute_script(script, *arguments)))
        except TimeoutException:
            return False

    def elements(self, selector: str) -> list[WebElement]:
        """The elements that a CSS selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def screenshot(self, path: Path) -> None:
        """Saves what the window shows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def _leave(self, action: object) -> str:
        """Does what leads to another page, and waits until that one is there."""
        # A number, since a page that the back button revives has that of when it was left.
        self._left += 1
        self.driver.execute_script("document.left = arguments[0]", self._left)
        assert callable(action)
        action()
        arrived = "return document.readyState === 'complete' && document.left !== arguments[0]"
        WebDriverWait(self.driver, 20, poll_frequency=0.02).until(
            lambda driver: driver.execute_script(arrived, self._left)
        )
        return self.text()
