"""The example `cart` in real Chromium: many requests at once, messages, and forms without scripts.

    CARAFE_CART=target/release/examples/cart python interop/browser/test_cart.py

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
from origin import Missing  # noqa: E402
from served import Elsewhere, Site  # noqa: E402

from checks import Checks  # noqa: E402

#: The number of times that each button is pressed before the first answer is there.
PRESSES = 20
PRESS_ALL = """
    for (let i = 0; i < arguments[0]; i++)
        for (const button of document.querySelectorAll("form.add button")) button.click();
"""


def items(browser: Chromium) -> list[str]:
    """The products that the cart's page lists."""
    return [item.text for item in browser.elements("li span")]


def check_presses(checks: Checks, site: Site, browser: Chromium, screenshots: Path) -> None:
    """Three buttons are pressed quickly: all requests are under way at once, and each counts."""
    browser.open(site.url)
    browser.screenshot(screenshots / "cart-1-shop.png")
    count = "return document.querySelector('#count').textContent === arguments[0]"
    for times in (1, 2):
        browser.driver.execute_script(PRESS_ALL, PRESSES)
        total = str(3 * PRESSES * times)
        checks.check(f"the page counts to {total}", browser.wait_until(count, total), browser.text())
    text = browser.open(f"{site.url}/cart")
    browser.screenshot(screenshots / "cart-2-cart.png")
    number = 2 * PRESSES
    expected = [f"{number} × Carafe", f"{number} × Cork & corkscrew", f"{number} × Glass"]
    checks.check("each press is in the cart", items(browser) == expected, text)


def check_messages(checks: Checks, site: Site, browser: Chromium) -> None:
    """A message is on the next page, and on no other."""
    text = browser.press("[aria-label='Remove: Glass']")
    checks.check("what is removed is told of", "Glass is out of your cart." in text, text)
    checks.check("and is gone", len(items(browser)) == 2 and browser.path() == "/cart", items(browser))
    text = browser.open(f"{site.url}/cart")
    checks.check("a message is shown once", "is out of your cart" not in text, text)


def check_tabs(checks: Checks, site: Site, browser: Chromium) -> None:
    """Two tabs are one visitor; another browser is another one."""
    browser.open(site.url)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open(f"{site.url}/cart")
    browser.press("[aria-label='Remove: Carafe']")
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser.driver.execute_script(PRESS_ALL, 1)
    count = "return Number(document.querySelector('#count').textContent) >= arguments[0]"
    browser.wait_until(count, 2 * PRESSES + 3)
    text = browser.open(f"{site.url}/cart")
    expected = ["1 × Carafe", f"{2 * PRESSES + 1} × Cork & corkscrew", "1 × Glass"]
    checks.check("what two tabs did is all there", items(browser) == expected, text)
    with Chromium() as other:
        text = other.open(f"{site.url}/cart")
        checks.check("another visitor's cart is empty", "It is empty." in text, text)


def check_forms(checks: Checks, site: Site) -> None:
    """The forms work by themselves."""
    with Chromium(scripts=False) as browser:
        browser.open(site.url)
        text = browser.press("[aria-label='Add: Glass']")
        told = "Glass: one is in your cart." in text and items(browser) == ["1 × Glass"]
        checks.check("without scripts a button leads to the cart", told, text)


def check_forgery(checks: Checks, site: Site, browser: Chromium, elsewhere: Elsewhere) -> None:
    """Another site's form puts nothing into the cart."""
    before = browser.open(f"{site.url}/cart")
    for host in ("127.0.0.1", "localhost"):
        browser.driver.get(f"http://{host}:{elsewhere.port}/?{site.url}/add/glass")
        browser.wait_for(site.url)
        checks.check(f"a form from {host} is refused", browser.status() == 403, browser.text())
    checks.check("the cart is as it was", browser.open(f"{site.url}/cart") == before, browser.text())


def main() -> int:
    """Runs all checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = os.environ.get("CARAFE_CART", "")
    parser.add_argument("--cart", default=command, metavar="COMMAND", help="default: $CARAFE_CART")
    screenshots = Path(__file__).resolve().parents[2] / "target" / "browser"
    parser.add_argument("--screenshots", type=Path, default=screenshots, metavar="DIRECTORY")
    arguments = parser.parse_args()
    if not arguments.cart:
        parser.error("name the cart example: $CARAFE_CART or --cart")
    checks = Checks()
    elsewhere = Elsewhere()
    try:
        with Site(shlex.split(arguments.cart)) as site, Chromium() as browser:
            check_presses(checks, site, browser, arguments.screenshots)
            check_messages(checks, site, browser)
            check_tabs(checks, site, browser)
            check_forms(checks, site)
            check_forgery(checks, site, browser, elsewhere)
    except Missing as missing:
        print(missing)
        return 2
    finally:
        elsewhere.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
