"""One request with both answers to it: the rules of `differences.py` judge it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from . import compare
from .configurations import Configuration
from .opened import Opened, open_cookies
from .values import tagged
from .wire import Answer, Request


@dataclass
class Exchange:
    """A request, both answers, and a way to ask Flask something else."""

    configuration: Configuration
    now: int
    request: Request
    flask: Answer
    carafe: Answer
    ask_flask: Callable[[Request], Answer]

    @cached_property
    def disagreements(self) -> list[str]:
        """The differences between the two answers."""
        return compare.disagreements(self.flask, self.carafe, self.configuration, self.now)

    @cached_property
    def opened(self) -> Opened:
        """Flask's reading of the request's cookies."""
        return open_cookies(self.request.cookies, self.configuration, self.now)

    @property
    def session(self) -> dict[str, Any]:
        """The session that Flask loaded; empty if it loaded none."""
        return self.opened.session or {}

    @property
    def operations(self) -> list[list[Any]]:
        """The request's operations, with values as Python has them; none where a tag in them can't be read."""
        try:
            return [tagged.loads(json.dumps(operation)) for operation in self.request.ops or ()]
        except (ValueError, TypeError, AttributeError, StopIteration):
            return []

    @property
    def results(self) -> tuple[list[Any], list[Any]]:
        """Both answers' results; empty for an answer that has none."""
        return _results(self.flask), _results(self.carafe)

    def flask_without_cookies(self) -> Answer:
        """Flask's answer to the same request without any cookie."""
        return self.ask_flask(replace(self.request, cookies=()))

    def with_removal(self, answer: Answer) -> Answer:
        """`answer`, but with the session's cookie removed unless it sets one."""
        if answer.set_cookie:
            return answer
        cleared = self.ask_flask(Request("POST", "/op", ops=(["clear"],)))
        return replace(answer, set_cookie=cleared.set_cookie, vary=cleared.vary)


def _results(answer: Answer) -> list[Any]:
    if not answer.body.startswith(b'{"results"'):
        return []
    return list(json.loads(answer.body)["results"])
