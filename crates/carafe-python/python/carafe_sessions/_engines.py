"""The native engines of a process."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ._core import CoreError, Engine, Store
from .errors import reraise


class Engines:
    """Engines on one store, made when they are first needed.

    Each process has its own: what a forked process inherits from its parent are connections that the parent goes on
    using, and threads that don't run. Engines of other processes are kept, since dropping them would touch the parent's.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url = url
        self._options = dict(options)
        self._stores: dict[int, Store] = {}
        self._engines: dict[tuple[Any, ...], Engine] = {}

    def get(self, name: str, lifetime: int, keys: Sequence[bytes]) -> Engine:
        """The engine of this process for a cookie's name, a lifetime in seconds, and keys, the current one last."""
        which = (os.getpid(), name, lifetime, tuple(keys))
        engine = self._engines.get(which)
        if engine is None:
            # Of two threads that come here at once, the first one's engine stays.
            engine = self._engines.setdefault(which, self._made(name, lifetime, keys))
        return engine

    def _made(self, name: str, lifetime: int, keys: Sequence[bytes]) -> Engine:
        settings = {"idle_timeout": lifetime, "absolute_timeout": max(lifetime, 31 * 86400), **self._options}
        settings |= {"cookie_name": name, "lifetime": lifetime, "fixed_clock": _fixed_clock()}
        try:
            return Engine(self._store(), list(keys), settings)
        except CoreError as error:
            reraise(error)

    def _store(self) -> Store:
        """The store of this process, which its engines share."""
        process = os.getpid()
        store = self._stores.get(process)
        return store if store is not None else self._stores.setdefault(process, Store(self._url))


def _fixed_clock() -> int | None:
    """The time of ItsDangerous' clock where it isn't the system's: tests and replays of cookies fix it."""
    try:
        from itsdangerous import TimestampSigner
    except ImportError:
        return None
    now = TimestampSigner(b"clock").get_timestamp()
    return now if abs(now - time.time()) > 60 else None
