"""A request's cookie, and the header that sets one: Werkzeug's bytes with less work, where nothing is unusual."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import werkzeug.wrappers
from werkzeug.http import dump_cookie

if TYPE_CHECKING:
    from flask import Request, Response

_COOKIES: Any = werkzeug.wrappers.Request.cookies
#: Stands in a header for the cookie's value. No attribute has this text.
_PLACE = "carafe-value-goes-here"


def has_plain_cookies(request: Request) -> bool:
    """Whether a request's cookies are the ones of its header, and not an application's own."""
    return _has_plain_class(type(request)) and "cookies" not in request.__dict__  # type: ignore[arg-type]


@lru_cache(maxsize=16)
def _has_plain_class(kind: type[Request]) -> bool:
    return kind.cookies is _COOKIES


def set_cookie(response: Response, name: str, value: str, attributes: tuple[Any, ...]) -> None:
    """`response.set_cookie` for a value of letters, digits, `_`, `.` and `-`, without an expiry."""
    before, after = _around(name, *attributes)
    header = f"{before}{value}{after}"
    limit = response.max_cookie_size
    if limit and len(header) > limit:
        # Werkzeug warns of it.
        domain, path, secure, httponly, samesite, partitioned = attributes
        options = {"partitioned": True} if partitioned else {}
        response.set_cookie(
            name, value, domain=domain, path=path, secure=secure, httponly=httponly, samesite=samesite, **options
        )
        return
    response.headers.add("Set-Cookie", header)


@lru_cache(maxsize=64)
def _around(
    name: str, domain: Any, path: Any, secure: Any, httponly: Any, samesite: Any, partitioned: Any
) -> tuple[str, str]:
    """What stands in the header before the value, and after it."""
    options: dict[str, Any] = {"partitioned": True} if partitioned else {}
    header = dump_cookie(
        name, _PLACE, domain=domain, path=path, secure=secure, httponly=httponly, samesite=samesite, max_size=0, **options
    )
    before, _, after = header.partition(_PLACE)
    return before, after


def vary_with_cookie(response: Response) -> None:
    """`response.vary.add("Cookie")`."""
    headers = response.headers
    for name, _ in headers:
        if name.lower() == "vary":
            response.vary.add("Cookie")
            return
    headers.add("Vary", "Cookie")
