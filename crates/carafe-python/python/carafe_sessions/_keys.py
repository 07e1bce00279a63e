"""Secret keys as ItsDangerous takes them."""

from __future__ import annotations

from collections.abc import Sequence


def ring(secret_key: str | bytes, fallbacks: Sequence[str | bytes] = ()) -> tuple[bytes, ...]:
    """The bytes of all keys, the current one last."""
    return tuple(key.encode() if isinstance(key, str) else bytes(key) for key in (*fallbacks, secret_key))
