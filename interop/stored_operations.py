"""The twin's operations on sessions in a store, which Flask on the package `carafe_sessions` has."""

from __future__ import annotations

from typing import Any

from carafe_sessions.errors import NoStoreError, SessionConflict, SessionEnded, SessionError, SessionUnavailable
from flask import session

import operations

NAMES: dict[type[SessionError], str] = {
    SessionEnded: "Ended",
    SessionConflict: "Conflict",
    SessionUnavailable: "Store",
    NoStoreError: "NoStore",
}


class StoredOperations(operations.Operations):
    """Runs one request's operations on its session in a store."""

    def _run_one(self, operation: Any) -> Any:
        try:
            return super()._run_one(operation)
        except SessionError as error:
            return {"error": NAMES.get(type(error), "RuntimeError")}

    def op_incr(self, key: str) -> int | float:
        """Saved at once, so that no other request is told the same."""

        def incremented(number: Any) -> Any:
            return (0 if number is None else number) + 1

        return session.update_now(key, incremented)

    def op_login(self, user: str | int) -> None:
        session.login(user)

    def op_logout(self) -> None:
        session.logout()

    def op_logout_everywhere(self) -> None:
        session.logout_everywhere()

    def op_rotate(self) -> None:
        session.rotate()

    def op_sessions(self) -> list[dict[str, Any]]:
        shown = ("public_id", "created", "last_seen", "current")
        return [{name: info[name] for name in shown} for info in session.sessions()]

    def op_revoke(self, public_id: str) -> bool:
        return session.revoke(public_id)


operations.SIGNATURES |= {
    "login": (1, [lambda user: type(user) in (str, int)]),
    "logout": (0, []),
    "logout_everywhere": (0, []),
    "rotate": (0, []),
    "sessions": (0, []),
    "revoke": (1, [operations.KEY]),
}
