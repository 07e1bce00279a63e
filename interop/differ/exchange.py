"""One request with both answers to it: what the rules of `differences.py` judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from . import compare
from .configurations import Configuration
from .opened import Opened, open_cookies
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
        """What differs between the two answers."""
        return compare.disagreements(self.flask, self.carafe, self.configuration, self.now)

    @cached_property
    def opened(self) -> Opened:
        """What Flask made of the request's cookies."""
        return open_cookies(self.request.cookies, self.configuration, self.now)

    def carafe_answers_as(self, expected: Answer) -> bool:
        """Whether Carafe answered just like `expected`."""
        return not compare.disagreements(expected, self.carafe, self.configuration, self.now)

    def flask_without_cookies(self) -> Answer:
        """What Flask answers to the same request without any cookie."""
        return self.ask_flask(replace(self.request, cookies=()))

    def with_removal(self, answer: Answer) -> Answer:
        """`answer`, but with the session's cookie removed unless it sets one."""
        if answer.set_cookie:
            return answer
        cleared = self.ask_flask(Request("POST", "/op", ops=(["clear"],)))
        return replace(answer, set_cookie=cleared.set_cookie, vary=cleared.vary)
