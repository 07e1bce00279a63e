"""Flask's own test suite, on Flask's own sessions and on those of the package `carafe_sessions`.

    PYTHONPATH=target/xtask/pythonpath python interop/package_flask_suite.py --folder target/xtask/flask-suite

The suite is that of Flask's published source package, which pip downloads into the folder. Which tests end otherwise on
the package has to be what `DIFFERENCES` lists, each with its reason: no more, and no less.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from importlib.metadata import version
from pathlib import Path

PLUGIN = Path(__file__).with_name("flask_suite")

_NOT_SENT_AGAIN = (
    "A change of a session in a store needs no new cookie, since the cookie holds the session's id alone: the test looks for"
    " a Set-Cookie header where it sets a value for the second time."
)
_NOT_REFRESHED = (
    "The cookie of a permanent session in a store is sent again once in a tenth of its idle time, not with every response."
)

#: The tests that end otherwise than on Flask's own sessions, with the reason: in cookies none.
DIFFERENCES: dict[str, dict[str, str]] = {
    "cookies": {},
    "memory:": {
        "tests.test_basic::test_session_using_samesite_attribute": _NOT_SENT_AGAIN,
        "tests.test_basic::test_session_cookie_setting": _NOT_REFRESHED,
        "tests.test_basic::test_session_refresh_vary": _NOT_REFRESHED,
    },
}


def download(folder: Path) -> Path:
    """The folder of Flask's source package, of the version that is installed."""
    wanted = f"flask-{version('flask')}"
    source = folder / wanted
    if not (source / "tests").is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(folder), wanted.replace("-", "==")], check=True)
        with tarfile.open(folder / f"{wanted}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return source


def outcomes(source: Path, store: str | None) -> dict[str, str]:
    """How each test ended: on Flask's own sessions, or on the package's."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")])}
    arguments = [] if store is None else ["-p", "on_carafe"]
    if store not in (None, "cookies"):
        environment["CARAFE_STORE"] = store
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
    source = download(arguments.folder)
    own = outcomes(source, None)
    passed = sum(end == "passed" for end in own.values())
    if passed < 400:
        raise SystemExit(f"only {passed} tests of Flask's pass on Flask's own sessions: is the suite whole?")
    failed = False
    for store, expected in DIFFERENCES.items():
        on_package = outcomes(source, store)
        names = own.keys() | on_package.keys()
        different = {name for name in names if own.get(name) != on_package.get(name)}
        for name in sorted(different ^ expected.keys()):
            failed = True
            listed = "is listed, and ends the same" if name in expected else f"{own.get(name)}, here {on_package.get(name)}"
            print(f"FAILED in {store}: {name}: {listed}")
        print(f"{store}: {len(on_package)} tests, {len(different)} end otherwise than on Flask's own sessions")
    print(f"{len(own)} tests of Flask's suite, {passed} pass on Flask's own sessions, {'not ' * failed}as listed on the package")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
