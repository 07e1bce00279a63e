"""The examples in the docstrings of the package `carafe_sessions` run.

    PYTHONPATH=target/xtask/pythonpath python interop/package_examples.py

An example is an indented paragraph that begins with an import.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import carafe_sessions
from checks import Checks
from flask import Flask

_EXAMPLE = re.compile(r"(?:^|\n\n)((?: {4}(?:from|import) [^\n]+)(?:\n(?: {4}[^\n]*)?)*)")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def examples(source: Path) -> Iterator[tuple[str, str]]:
    """The examples of a module, each with its place."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node, clean=False)):
            indentation = " " * (0 if isinstance(node, ast.Module) else node.col_offset + 4)
            text = text.replace(f"\n{indentation}", "\n")
            where = source.stem if isinstance(node, ast.Module) else f"{source.stem}.{node.name}"
            for found in _EXAMPLE.finditer(text):
                yield where, textwrap.dedent(found[1])


def main() -> int:
    """Runs all examples; the exit status."""
    checks = Checks()
    folder = Path(str(carafe_sessions.__file__)).parent
    seen = set()
    for source in sorted(folder.glob("*.py")):
        for where, example in examples(source):
            seen.add(where)
            exec(compile(example, where, "exec"), {"__name__": where, "app": Flask(where)})
            checks.check(f"the example of {where} runs", True)
    public = {"flask", "asgi", "itsdangerous"}
    checks.check("each public module has an example", public <= seen, public - seen)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
