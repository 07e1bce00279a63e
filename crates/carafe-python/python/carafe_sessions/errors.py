"""The errors of a session. With Werkzeug, errors that answer a request are its HTTP exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ._core import CoreError

if TYPE_CHECKING:
    from werkzeug.exceptions import Conflict, ServiceUnavailable
else:
    try:
        from werkzeug.exceptions import Conflict, ServiceUnavailable
    except ImportError:

        class Conflict(Exception):
            """Stands for Werkzeug's where that is not installed."""

            code = 409

        class ServiceUnavailable(Exception):
            """Stands for Werkzeug's where that is not installed."""

            code = 503



class SessionError(Exception):
    """A session can't do what it was asked for. The text says why, and what to do about it."""


class NoStoreError(SessionError):
    """It takes a store, and these sessions are in cookies."""


class SessionClosedError(SessionError):
    """The session was changed after its response had begun, so that the change can't be saved."""


class SessionEnded(SessionError, Conflict):
    """The session ended while the request was under way: its changes were not saved (409)."""

    description = "Your session ended while this request was under way. Nothing was saved."


class SessionConflict(SessionError, Conflict):
    """Another request changed what this one had read and then wrote, and the sessions are strict (409)."""

    description = "Another request changed the same at the same time. Nothing was saved: please try again."


class SessionUnavailable(SessionError, ServiceUnavailable):
    """The store failed, or was too slow (503)."""

    description = "Sessions are unavailable at the moment. Please try again later."


_KINDS: dict[str, type[SessionError]] = {
    "ended": SessionEnded,
    "conflict": SessionConflict,
    "store": SessionUnavailable,
    "no_store": NoStoreError,
    "closed": SessionClosedError,
}


def translated(error: CoreError) -> SessionError:
    """The exception for an error of the native part."""
    kind, message = error.args
    exception = _KINDS.get(kind, SessionError)
    if issubclass(exception, (Conflict, ServiceUnavailable)):
        # Visitors see the description of an HTTP exception; the cause is for the log.
        translation = exception()
        translation.__cause__ = error
        return translation
    return exception(message)


def reraise(error: CoreError) -> NoReturn:
    """Raises the exception for an error of the native part."""
    raise translated(error) from error
