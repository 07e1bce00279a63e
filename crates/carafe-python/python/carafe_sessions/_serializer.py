"""Flask's serializers, with the native part in front of them.

The native part writes and reads what is usual. Everything else goes to Flask's and ItsDangerous' own code, so that
nothing is written, read or judged otherwise than they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask.globals import current_app
from flask.json.provider import DefaultJSONProvider
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import want_bytes

from ._core import SealedCodec, SignedCodec, tagged_dumps, tagged_loads

_DEFAULT_TAGS = tuple(type(tag) for tag in TaggedJSONSerializer().order)
_DIGESTS = frozenset({"sha1", "sha256", "sha384", "sha512"})


class Json:
    """The tagged JSON of an interface's serializer."""

    def __init__(self, serializer: Any) -> None:
        self._serializer = serializer

    def dumps(self, value: Any) -> bytes:
        """The JSON of a value, as Flask writes it."""
        if self._is_default() and _writes_by_default():
            json = tagged_dumps(value)
            if json is not None:
                return json
        return want_bytes(self._serializer.dumps(value))

    def loads(self, json: bytes) -> Any:
        """The value of JSON, as Flask reads it."""
        if self._is_default() and _reads_by_default():
            value = tagged_loads(json)
            if value is not None:
                return value
        return self._serializer.loads(json.decode("utf-8"))

    def _is_default(self) -> bool:
        """Whether this is Flask's serializer, with its own tags."""
        serializer = self._serializer
        return type(serializer) is TaggedJSONSerializer and tuple(map(type, serializer.order)) == _DEFAULT_TAGS


def _provider() -> Any:
    """The JSON provider of the application at hand; `None` without one."""
    return current_app.json if current_app else None


def _writes_by_default() -> bool:
    """Whether JSON is written in ASCII and with sorted keys. Without an application, Flask sorts none."""
    provider = _provider()
    return type(provider) is DefaultJSONProvider and provider.ensure_ascii is True and provider.sort_keys is True


def _reads_by_default() -> bool:
    provider = _provider()
    return provider is None or type(provider) is DefaultJSONProvider


class SignedSerializer(URLSafeTimedSerializer):
    """`URLSafeTimedSerializer`, with the native part in front of it."""

    def __init__(self, keys: Sequence[bytes], codec: SignedCodec, serializer: Any, **options: Any) -> None:
        super().__init__(list(keys), serializer=serializer, **options)
        self.tagged_json = Json(serializer)
        self._codec = codec
        self._clock = TimestampSigner(b"clock")

    def dumps(self, obj: Any, salt: str | bytes | None = None) -> str:
        """The signed text of a value."""
        if salt is not None or not self.is_text_serializer:
            return super().dumps(obj, salt)
        return self._codec.dumps(self.tagged_json.dumps(obj), self._clock.get_timestamp())

    def loads(self, s: str | bytes, *args: Any, **options: Any) -> Any:
        """The value of a signed text. Raises `BadSignature` as ItsDangerous does."""
        if not args and set(options) <= {"max_age"} and self.is_text_serializer:
            json = self.verified_json(s, options.get("max_age"))
            if json is not None:
                return self.tagged_json.loads(json)
        return super().loads(s, *args, **options)

    def verified_json(self, text: str | bytes, max_age: int | None) -> bytes | None:
        """The JSON of a signed text; `None` where ItsDangerous has to judge."""
        if max_age is not None and (type(max_age) is not int or max_age < 0):
            return None
        return self._codec.loads(text, max_age, self._clock.get_timestamp())


def signed_serializer(
    keys: Sequence[bytes], salt: str | bytes, key_derivation: str, digest_method: Any, serializer: Any
) -> URLSafeTimedSerializer:
    """A serializer with these options; ItsDangerous' own where the native part doesn't know them."""
    options: dict[str, Any] = {"salt": salt, "signer_kwargs": {"key_derivation": key_derivation, "digest_method": digest_method}}
    digest = digest_method().name
    is_known = digest in _DIGESTS and key_derivation in ("hmac", "concat", "django-concat", "none")
    if not is_known or not all(keys):
        plain: URLSafeTimedSerializer = URLSafeTimedSerializer(list(keys), serializer=serializer, **options)
        return plain
    codec = SignedCodec(list(keys), want_bytes(salt), key_derivation, digest)
    return SignedSerializer(keys, codec, serializer, **options)


class SealedSerializer:
    """Reads and writes sealed cookies, as `SignedSerializer` does signed ones. A refused cookie is a `BadSignature`."""

    def __init__(self, keys: Sequence[bytes], name: str, max_age: int, serializer: Any) -> None:
        self.tagged_json = Json(serializer)
        self._codec = SealedCodec(list(keys), name, max_age)
        self._clock = TimestampSigner(b"clock")

    def dumps(self, obj: Any) -> str:
        """The sealed text of a session."""
        return self._codec.dumps(self.tagged_json.dumps(obj), self._clock.get_timestamp())

    def verified_json(self, text: str, max_age: int | None) -> bytes | None:
        """The JSON of a sealed text; `None` if it isn't accepted."""
        return self._codec.loads(text, self._clock.get_timestamp())

    def loads(self, s: str, max_age: int | None = None) -> Any:
        """The session of a sealed text."""
        json = self.verified_json(s, max_age)
        if json is None:
            raise BadSignature("the cookie is not one that these keys have sealed")
        return self.tagged_json.loads(json)
