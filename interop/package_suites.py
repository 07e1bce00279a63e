"""Flask's and ItsDangerous' own test suites, as they are, and on the package `carafe_sessions`.

    PYTHONPATH=target/xtask/pythonpath python interop/package_suites.py --folder target/xtask/suites

The suites come from the published source packages, which pip downloads into the folder. Which tests end otherwise on
the package has to be what is listed here, each with its reason: no more, and no less.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

PLUGINS = Path(__file__).with_name("package_plugins")

_NOT_SENT_AGAIN = (
    "A change of a session in a store needs no new cookie, since the cookie holds the session's id alone: the test looks for"
    " a Set-Cookie header where it sets a value for the second time."
)
_NOT_REFRESHED = (
    "The cookie of a permanent session in a store is sent again once in a tenth of its idle time, not with every response."
)


@dataclass(frozen=True)
class Suite:
    """A suite on one kind of session, and the tests that end otherwise there, with the reason."""

    distribution: str
    plugin: str
    fewest: int
    store: str = ""
    differences: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.distribution} {self.store}".strip()


SUITES = [
    Suite("flask", "carafe_in_flask", 450),
    Suite(
        "flask",
        "carafe_in_flask",
        450,
        "memory:",
        {
            "tests.test_basic::test_session_using_samesite_attribute": _NOT_SENT_AGAIN,
            "tests.test_basic::test_session_cookie_setting": _NOT_REFRESHED,
            "tests.test_basic::test_session_refresh_vary": _NOT_REFRESHED,
        },
    ),
    Suite("itsdangerous", "carafe_in_itsdangerous", 290),
]


def download(folder: Path, distribution: str) -> Path:
    """The folder of a source package, of the version that is installed."""
    wanted = f"{distribution}-{version(distribution)}"
    source = folder / wanted
    if not (source / "tests").is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(folder), wanted.replace("-", "==")], check=True)
        with tarfile.open(folder / f"{wanted}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return source


def outcomes(source: Path, suite: Suite | None) -> dict[str, str]:
    """How each test ended: as it is, or on the package."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")])}
    arguments = [] if suite is None else ["-p", suite.plugin]
    environment["CARAFE_STORE"] = "" if suite is None else suite.store
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
        done = subprocess.run([*command, "tests"], cwd=source, env=environment, capture_output=True, text=True)
        if not report.is_file():
            raise SystemExit(f"the suite did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        cases = list(ElementTree.parse(report).iter("testcase"))
    ends = {"failure", "error", "skipped"}
    return {
        f"{case.get('classname')}::{case.get('name')}": next((end.tag for end in case if end.tag in ends), "passed")
        for case in cases
    }


def main() -> int:
    """Runs the suite on each kind of session; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, metavar="FOLDER", help="where the source package is, or goes")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    own: dict[str, dict[str, str]] = {}
    failed, tests = 0, 0
    for suite in SUITES:
        source = download(arguments.folder, suite.distribution)
        if suite.distribution not in own:
            own[suite.distribution] = outcomes(source, None)
        as_it_is = own[suite.distribution]
        passed = sum(end == "passed" for end in as_it_is.values())
        if passed < suite.fewest:
            raise SystemExit(f"only {passed} tests of {suite.distribution} pass as they are: is the suite whole?")
        on_package = outcomes(source, suite)
        tests += len(on_package)
        different = {name for name in as_it_is.keys() | on_package.keys() if as_it_is.get(name) != on_package.get(name)}
        for name in sorted(different ^ suite.differences.keys()):
            failed += 1
            listed = "is listed, and ends the same" if name in suite.differences else ""
            print(f"FAILED in {suite.name}: {name}: {as_it_is.get(name)}, here {on_package.get(name)} {listed}")
        print(f"{suite.name}: {len(on_package)} tests, {passed} pass as they are, {len(different)} end otherwise here")
    print(f"{tests} tests of Flask's and ItsDangerous' suites, {failed} end otherwise than listed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
