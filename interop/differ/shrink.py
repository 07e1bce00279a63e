"""Makes a disagreement short: fewer operations, smaller values, plainer cookies, as long as it still disagrees."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .configurations import Configuration
from .forge import Forge, encode
from .opened import Step, open_cookies
from .values import tagged
from .wire import Request


def shrink(
    request: Request,
    disagrees: Callable[[Request], bool],
    configuration: Configuration,
    forge: Forge,
    patience: float = 5.0,
) -> Request:
    """The shortest request found within `patience` seconds that still disagrees."""
    deadline = time.monotonic() + patience
    improved = True
    while improved:
        improved = False
        for candidate in _simpler(request, configuration, forge):
            if time.monotonic() > deadline:
                return request
            if candidate != request and _size(candidate) < _size(request) and disagrees(candidate):
                request, improved = candidate, True
                break
    return request


def _size(request: Request) -> tuple[int, int]:
    return len(request.to_bytes("h")), len(request.cookies)


def _simpler(request: Request, configuration: Configuration, forge: Forge) -> Iterator[Request]:
    if request.cookies:
        yield replace(request, cookies=())
    if request.method == "GET" and request.ops is not None:
        yield replace(request, method="POST")
    if request.ops is not None:
        ops = list(request.ops)
        for length in (len(ops) // 2, 1):
            for start in range(0, len(ops), length or 1):
                yield replace(request, ops=tuple(ops[:start] + ops[start + (length or 1) :]))
        for index, op in enumerate(ops):
            for simpler in _simpler_values(op[1:]):
                if isinstance(simpler, list):
                    yield replace(request, ops=(*ops[:index], [op[0], *simpler], *ops[index + 1 :]))
    yield from _simpler_cookies(request, configuration, forge)


def _simpler_cookies(request: Request, configuration: Configuration, forge: Forge) -> Iterator[Request]:
    if len(request.cookies) > 1:
        yield replace(request, cookies=(b"; ".join(request.cookies),))
    parts = [part for line in request.cookies for part in line.split(b";")]
    for index in range(len(parts) if len(parts) > 1 else 0):
        yield replace(request, cookies=(b";".join(parts[:index] + parts[index + 1 :]).strip(),))
    opened = open_cookies(request.cookies, configuration, forge.now)
    if opened.step is Step.LOADED and opened.session is not None:
        # The same session again, but by Flask's own hand and without what the disagreement does not need.
        for simpler in [opened.session, *_simpler_values(tagged.tag(opened.session))]:
            text = tagged.dumps(simpler) if simpler is opened.session else _dumps(simpler)
            cookie = configuration.cookie_name.encode() + b"=" + forge.sign(encode(text.encode()))
            yield replace(request, cookies=(cookie,))


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _simpler_values(value: Any) -> Iterator[Any]:
    """JSON values that are simpler than `value`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: simpler} for simpler in _simpler_values(item))
        yield from value.values()
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield value[:index] + value[index + 1 :]
            yield from (value[:index] + [simpler] + value[index + 1 :] for simpler in _simpler_values(item))
    elif isinstance(value, str) and value:
        yield ""
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]
        yield value[1:]
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value not in (0, 1):
        yield 1
