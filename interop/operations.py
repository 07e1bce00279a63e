"""The operations of the twin's contract, on Flask's session.

Arguments come in as Python values (the request's tagged JSON is already read), results go out tagged. Where the contract
leaves a choice, this is it:

- An operation on the session is what touches it (`Vary`): not `status`, `sleep_ms`, `fail`, nor a body that is no JSON.
- A request is malformed (400) if it is no JSON in Python's dialect or no list of operations, and from the first operation
  on that is unknown or has the wrong number or types of arguments. What ran before that is saved, as Flask saves it on
  any answer.
- `set_nested` walks text keys into dicts and indexes (also from the end) into lists and tuples. Where nothing is, it is a
  KeyError, also at the end of no path; a step into something else, or a change of a tuple, is a TypeError. A path of one
  key sets that key.
- `incr` is `session[key] = session.get(key, 0) + 1`, with Python's numbers.
- `permanent` answers what stands in `_permanent`, as Flask's `session.permanent` does.
- `flash` and `flashes` on a `_flashes` of another shape than Flask's are a TypeError, whatever Python would raise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any

from flask import flash, get_flashed_messages, session
from flask.json.tag import TaggedJSONSerializer

tagged = TaggedJSONSerializer()


class Malformed(Exception):
    """The request breaks the contract: 400."""


class DeliberateFailure(Exception):
    """The operation `fail`: the handler ends with an unhandled exception."""


class Operations:
    """Runs one request's operations on its session."""

    def __init__(self) -> None:
        self.status = 200

    def run(self, operations: list[Any]) -> list[Any]:
        """The tagged result of each operation, in order. Raises `Malformed`."""
        return [self._run_one(operation) for operation in operations]

    def _run_one(self, operation: Any) -> Any:
        name, arguments = checked(operation)
        try:
            # Tagged at once: a later operation may change the value in place.
            return tagged.tag(getattr(self, "op_" + name)(*arguments))
        except LookupError:
            return {"error": "KeyError"}
        except TypeError:
            return {"error": "TypeError"}

    def op_get(self, key: str, default: Any = None) -> Any:
        return session.get(key, default)

    def op_item(self, key: str) -> Any:
        return session[key]

    def op_set(self, key: str, value: Any) -> None:
        session[key] = value

    def op_del(self, key: str) -> None:
        del session[key]

    def op_pop(self, key: str, *default: Any) -> Any:
        return session.pop(key, *default)

    def op_setdefault(self, key: str, value: Any) -> Any:
        return session.setdefault(key, value)

    def op_update(self, values: dict[str, Any]) -> None:
        session.update(values)

    def op_clear(self) -> None:
        session.clear()

    def op_contains(self, key: str) -> bool:
        return key in session

    def op_len(self) -> int:
        return len(session)

    def op_keys(self) -> list[str]:
        return sorted(session)

    def op_items(self) -> dict[str, Any]:
        return dict(session)

    def op_set_nested(self, path: list[str | int], value: Any) -> None:
        if not path or not isinstance(path[0], str):
            raise KeyError(path)
        target: Any = session
        for step in path[:-1]:
            _check_step(target, step)
            target = target[step]
        _check_step(target, path[-1])
        target[path[-1]] = value
        session.modified = True

    def op_incr(self, key: str) -> int | float:
        session[key] = number = session.get(key, 0) + 1
        return number

    def op_permanent(self, *value: bool) -> Any:
        if value:
            session.permanent = value[0]
        return session.permanent

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
    """Only text leads into a dict, and only an index into a list or tuple."""
    leads = isinstance(target, MutableMapping) if isinstance(step, str) else isinstance(target, (list, tuple))
    if not leads:
        raise TypeError("a step that leads nowhere")


def _is_path(value: Any) -> bool:
    return isinstance(value, list) and all(type(step) in (str, int) for step in value)


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in types


def _is_filter(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _anything(_value: Any) -> bool:
    return True


KEY = _is(str)

#: Operations that leave the session alone.
UNTOUCHING = {"status", "sleep_ms", "fail"}

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


def checked(operation: Any) -> tuple[str, list[Any]]:
    """An operation's name and arguments. Raises `Malformed`."""
    if not isinstance(operation, list) or not operation or not isinstance(operation[0], str):
        raise Malformed("an operation is a list that begins with its name")
    name, *arguments = operation
    needed, checks = SIGNATURES.get(name, (-1, []))
    if name not in UNTOUCHING:
        _ = session.accessed  # the view holds the session from here on, whatever it does with it
    if not 0 <= needed <= len(arguments) <= len(checks):
        raise Malformed("no such operation, or not these many arguments")
    if not all(check(argument) for check, argument in zip(checks, arguments)):
        raise Malformed("an argument of another type")
    return name, arguments


def parse(text: str, in_query: bool) -> list[Any]:
    """The operations of a body, `{"ops": [...]}`; a query may also have the list alone. Raises `Malformed`."""
    try:
        request = tagged.loads(text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, StopIteration) as error:
        raise Malformed("no JSON in Python's dialect, or a bad tag") from error
    operations = request.get("ops") if isinstance(request, dict) else request if in_query else None
    if not isinstance(operations, list):
        raise Malformed('no {"ops": [...]}')
    return operations
