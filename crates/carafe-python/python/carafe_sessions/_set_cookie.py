"""The `Set-Cookie` header of an ASGI application."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate

_FORBIDDEN = frozenset('"(),/:;<=>?@[\\]{} ')


@dataclass(frozen=True)
class CookieAttributes:
    """A cookie's name and attributes. The order in the header is Flask's."""

    name: str = "session"
    domain: str | None = None
    path: str = "/"
    secure: bool = False
    http_only: bool = True
    same_site: str | None = None
    partitioned: bool = False

    def __post_init__(self) -> None:
        if not self.name or not self.name.isascii() or not self.name.isprintable() or set(self.name) & _FORBIDDEN:
            raise ValueError(f"the cookie's name {self.name!r} is none that browsers keep: use letters, digits, - and _")
        for what in (self.domain or "", self.path):
            if ";" in what or not what.isascii() or not what.isprintable():
                raise ValueError(f"the cookie's domain or path {what!r} must be plain ASCII without a semicolon")
        if self.same_site is not None and self.same_site.lower() not in ("strict", "lax", "none"):
            raise ValueError(f"same_site is {self.same_site!r}: it must be 'strict', 'lax', 'none' or None")
        if self.name.startswith("__Secure-") and not self.secure:
            raise ValueError("browsers drop a cookie named __Secure-... that is not Secure: set https_only")
        if self.name.startswith("__Host-") and not (self.secure and self.path == "/" and self.domain is None):
            raise ValueError("browsers drop a cookie named __Host-... unless it is Secure, for the path / and no domain")

    def set(self, value: str, expires: float | None) -> bytes:
        """The header's value; `expires` is in Unix seconds."""
        return self._header(value, "" if expires is None else f"; Expires={formatdate(expires, usegmt=True)}")

    def remove(self) -> bytes:
        """The header's value that removes the cookie."""
        return self._header("", "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0")

    def _header(self, value: str, expires: str) -> bytes:
        parts = [f"{self.name}={value}"]
        if self.domain is not None:
            parts.append(f"; Domain={self.domain}")
        parts.append(expires)
        if self.secure or self.partitioned:
            parts.append("; Secure")
        if self.http_only:
            parts.append("; HttpOnly")
        parts.append(f"; Path={self.path}")
        if self.same_site is not None:
            parts.append(f"; SameSite={self.same_site.capitalize()}")
        if self.partitioned:
            parts.append("; Partitioned")
        return "".join(parts).encode("latin-1")


def values(headers: list[tuple[bytes, bytes]], name: str) -> str | None:
    """The value of the first cookie of a name; `None` without one."""
    wanted = name.encode()
    for header, line in headers:
        if header.lower() != b"cookie":
            continue
        for pair in line.split(b";"):
            key, equals, value = pair.partition(b"=")
            if equals and key.strip(b" \t") == wanted:
                value = value.strip(b" \t")
                if len(value) > 1 and value[:1] == value[-1:] == b'"':
                    value = value[1:-1]
                return value.decode("latin-1")
    return None
