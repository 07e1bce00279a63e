"""The operations of the twin's contract, on Flask's session.

Arguments come in as Python values (the request's tagged JSON is already read), results go out tagged. Where the contract
leaves a choice, this is it:

- `/op` opens the session before it reads anything, so `Vary: Cookie` stands on every answer of it, also on a 400.
- A request is malformed (400, nothing runs) if it is no JSON in Python's dialect, no `{"ops": [[name, ...], ...]}`,
  names an unknown operation or gives one the wrong number or types of arguments (keys and paths are text, or list
  indexes within a path).
- `set_nested` walks text keys into dicts and integers into lists. A missing key is a KeyError, an index out of range an
  IndexError, anything else (a tuple, text, null, the wrong sort of step) a TypeError. A path of one key sets that key.
- `incr` counts integers only: a bool or a float is a TypeError, a missing key counts from 0.
- `permanent` answers the truth value (Python's) of the key `_permanent`.
- `flash` and `flashes` on a `_flashes` of another shape than Flask's are a TypeError, whatever Python would raise.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import flash, get_flashed_messages
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSession

tagged = TaggedJSONSerializer()

Operation = list[Any]


class Malformed(Exception):
    """The request breaks the contract: 400."""


class DeliberateFailure(Exception):
    """The operation `fail`: the handler ends with an unhandled exception."""


class Operations:
    """Runs one request's operations on its session."""

    def __init__(self, session: SecureCookieSession) -> None:
        self.session = session
        self.status = 200

    def run(self, operations: list[Operation]) -> list[Any]:
        """The tagged result of each operation, in order."""
        return [self._run_one(name, arguments) for name, *arguments in operations]

    def _run_one(self, name: str, arguments: list[Any]) -> Any:
        try:
            # Tagged at once: a later operation may change the value in place.
            return tagged.tag(getattr(self, "op_" + name)(*arguments))
        except (KeyError, IndexError, TypeError) as error:
            return {"error": type(error).__name__}

    def op_get(self, key: str, default: Any = None) -> Any:
        return self.session.get(key, default)

    def op_item(self, key: str) -> Any:
        return self.session[key]

    def op_set(self, key: str, value: Any) -> None:
        self.session[key] = value

    def op_del(self, key: str) -> None:
        del self.session[key]

    def op_pop(self, key: str, *default: Any) -> Any:
        return self.session.pop(key, *default)

    def op_setdefault(self, key: str, value: Any) -> Any:
        return self.session.setdefault(key, value)

    def op_update(self, values: dict[str, Any]) -> None:
        self.session.update(values)

    def op_clear(self) -> None:
        self.session.clear()

    def op_contains(self, key: str) -> bool:
        return key in self.session

    def op_len(self) -> int:
        return len(self.session)

    def op_keys(self) -> list[str]:
        return sorted(self.session)

    def op_items(self) -> dict[str, Any]:
        return dict(self.session)

    def op_set_nested(self, path: list[str | int], value: Any) -> None:
        target: Any = self.session
        for step in path[:-1]:
            _check_step(target, step)
            target = target[step]
        _check_step(target, path[-1])
        target[path[-1]] = value
        self.session.modified = True

    def op_incr(self, key: str) -> int:
        value = self.session.get(key, 0)
        if type(value) is not int:
            raise TypeError(key)
        self.session[key] = value + 1
        return value + 1

    def op_permanent(self, *value: bool) -> bool:
        if value:
            self.session.permanent = value[0]
        return bool(self.session.permanent)

    def op_flash(self, message: Any, category: str = "message") -> None:
        try:
            flash(message, category)
        except AttributeError as error:
            raise TypeError("_flashes is no list") from error

    def op_flashes(self, with_categories: bool = False, category_filter: list[str] | None = None) -> list[Any]:
        try:
            return list(get_flashed_messages(with_categories, category_filter or ()))
        except (KeyError, IndexError) as error:
            raise TypeError("_flashes holds something else than pairs") from error

    def op_sleep_ms(self, milliseconds: int) -> None:
        time.sleep(min(milliseconds, 5000) / 1000)

    def op_status(self, status: int) -> None:
        self.status = status

    def op_fail(self) -> None:
        raise DeliberateFailure


def _check_step(target: Any, step: str | int) -> None:
    """Only text into a dict and an integer into a list lead on."""
    if not (isinstance(target, dict) and isinstance(step, str) or isinstance(target, list) and type(step) is int):
        raise TypeError("a step that leads nowhere")


def _is_path(value: Any) -> bool:
    steps = isinstance(value, list) and value and all(isinstance(s, str) or type(s) is int and s >= 0 for s in value)
    return bool(steps) and isinstance(value[0], str)


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in types


def _is_filter(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _anything(_value: Any) -> bool:
    return True


KEY = _is(str)

#: Each operation's arguments: a check for each one, and how many of them are needed.
SIGNATURES: dict[str, tuple[int, list[Callable[[Any], bool]]]] = {
    "get": (1, [KEY, _anything]),
    "item": (1, [KEY]),
    "set": (2, [KEY, _anything]),
    "del": (1, [KEY]),
    "pop": (1, [KEY, _anything]),
    "setdefault": (2, [KEY, _anything]),
    "update": (1, [_is(dict)]),
    "clear": (0, []),
    "contains": (1, [KEY]),
    "len": (0, []),
    "keys": (0, []),
    "items": (0, []),
    "set_nested": (2, [_is_path, _anything]),
    "incr": (1, [KEY]),
    "permanent": (0, [_is(bool)]),
    "flash": (1, [_anything, KEY]),
    "flashes": (0, [_is(bool), _is_filter]),
    "sleep_ms": (1, [lambda value: type(value) is int and value >= 0]),
    "status": (1, [lambda value: type(value) is int and 200 <= value <= 599]),
    "fail": (0, []),
}


def parse(text: str) -> list[Operation]:
    """The operations of a request's JSON text, all of them checked. Raises `Malformed`."""
    try:
        request = tagged.loads(text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, StopIteration) as error:
        raise Malformed("no JSON in Python's dialect, or a bad tag") from error
    operations = request.get("ops") if isinstance(request, dict) else None
    if not isinstance(operations, list):
        raise Malformed('no {"ops": [...]}')
    for operation in operations:
        if not isinstance(operation, list) or not operation or not isinstance(operation[0], str):
            raise Malformed("an operation is a list that begins with its name")
        name, *arguments = operation
        needed, checks = SIGNATURES.get(name, (-1, []))
        if not 0 <= needed <= len(arguments) <= len(checks):
            raise Malformed("no such operation, or not these many arguments")
        if not all(check(argument) for check, argument in zip(checks, arguments)):
            raise Malformed("an argument of another type")
    return operations
