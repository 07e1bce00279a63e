"""A request's cookie, and the header that sets one: Werkzeug's bytes with less work, where nothing is unusual."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import werkzeug.wrappers
from werkzeug.http import dump_cookie

if TYPE_CHECKING:
    from flask import Request, Response

_COOKIES: Any = werkzeug.wrappers.Request.cookies
_HEADERS_COOKIE = "HTTP_COOKIE"
#: Stands in a header for the cookie's value. No attribute has this text.
_PLACE = "carafe-value-goes-here"


def cookie_of(request: Request, name: str) -> str | None:
    """The value of a request's cookie, as `request.cookies` has it."""
    if "cookies" not in vars(request) and type(request).cookies is _COOKIES:
        header = request.environ.get(_HEADERS_COOKIE)
        if header is None:
            return None
        # If the name is there more than once, it may be another cookie's, or spelled in another way.
        found = _pattern(name).search(header) if header.count(name) == 1 else None
        if found is not None:
            return str(found[1])
    return request.cookies.get(name)


@lru_cache(maxsize=16)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|; ?){re.escape(name)}=([A-Za-z0-9_.-]+)(?=;|$)")


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
    """The parts of the header before the value, and after it."""
    options: dict[str, Any] = {"partitioned": True} if partitioned else {}
    header = dump_cookie(
        name, _PLACE, domain=domain, path=path, secure=secure, httponly=httponly, samesite=samesite, max_size=0, **options
    )
    before, _, after = header.partition(_PLACE)
    return before, after


def vary_with_cookie(response: Response) -> None:
    """`response.vary.add("Cookie")`."""
    if "Vary" in response.headers:
        response.vary.add("Cookie")
    else:
        response.headers["Vary"] = "Cookie"
