"""Flask's serializers, with the native part in front of them.

The native part writes and reads what is usual. Everything else goes to Flask's and ItsDangerous' own code, so that
nothing is written, read or judged otherwise than they do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask.globals import current_app
from flask.json.provider import DefaultJSONProvider
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import want_bytes

from ._core import SealedCodec, SignedCodec, Snapshot, tagged_dumps, tagged_loads

_DEFAULT_TAGS = tuple(type(tag) for tag in TaggedJSONSerializer().order)
_DIGESTS = frozenset({"sha1", "sha256", "sha384", "sha512"})


class Json:
    """The tagged JSON of an interface's serializer."""

    def __init__(self, serializer: Any) -> None:
        self._serializer = serializer
        #: The serializer's tags when they were last found to be Flask's own.
        self._default_order: list[Any] | None = None

    def dumps(self, value: Any) -> bytes:
        """The JSON of a value, as Flask writes it."""
        if self.writes_by_default():
            json = tagged_dumps(value)
            if json is not None:
                return json
        return want_bytes(self._serializer.dumps(value))

    def loads(self, json: bytes) -> Any:
        """The value of JSON, as Flask reads it."""
        if self.reads_by_default():
            value = tagged_loads(json)
            if value is not None:
                return value
        return self._serializer.loads(json.decode("utf-8"))

    def writes_by_default(self) -> bool:
        """Whether JSON is written with Flask's own tags, in ASCII and with sorted keys."""
        if not self._is_default():
            return False
        try:
            provider = _current_app().json
        except RuntimeError:
            # Without an application, Flask sorts no keys.
            return False
        return type(provider) is DefaultJSONProvider and provider.ensure_ascii is True and provider.sort_keys is True

    def reads_by_default(self) -> bool:
        """Whether JSON is read with Flask's own tags."""
        serializer = self._serializer
        is_known = type(serializer) is TaggedJSONSerializer and serializer.order == self._default_order
        if not is_known and not self._is_default():
            return False
        try:
            return type(_current_app().json) is DefaultJSONProvider
        except RuntimeError:
            return True

    def _is_default(self) -> bool:
        """Whether this is Flask's serializer, with its own tags."""
        serializer = self._serializer
        if type(serializer) is not TaggedJSONSerializer:
            return False
        order = serializer.order
        if order == self._default_order:
            return True
        is_default = tuple(map(type, order)) == _DEFAULT_TAGS
        if is_default:
            self._default_order = list(order)
        return is_default


#: The application at hand. Raises `RuntimeError` without one.
_current_app: Any = current_app._get_current_object  # type: ignore[attr-defined]


class SessionSerializer:
    """What serializers do for a session as a whole: its JSON crosses into the native part and back once at most."""

    tagged_json: Json
    #: The seconds for which a cookie is accepted.
    lifetime = 0
    _codec: SignedCodec | SealedCodec
    _clock: TimestampSigner

    dumps: Callable[..., str]

    def dumps_session(self, session: dict[str, Any]) -> str:
        """The signed text of a session."""
        if self.tagged_json.writes_by_default():
            text = self._codec.dumps_session(session, self._clock.get_timestamp())
            if text is not None:
                return text
        return self.dumps(dict(session))

    def open(self, session: dict[str, Any], header: str | None, name: str) -> Snapshot | None:
        """Reads the session of a request's `Cookie` header into an empty one, and returns what it held then.

        It is `None` where Werkzeug, ItsDangerous or Flask have to judge; the session is of no use then.
        """
        if self.lifetime < 0 or not self.tagged_json.reads_by_default():
            return None
        return self._codec.open(session, header, name, self.lifetime, self._clock.get_timestamp())


class SignedSerializer(SessionSerializer, URLSafeTimedSerializer):
    """`URLSafeTimedSerializer`, with the native part in front of it."""

    _codec: SignedCodec

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
    keys: Sequence[bytes], lifetime: int, salt: str | bytes, key_derivation: str, digest_method: Any, serializer: Any
) -> URLSafeTimedSerializer:
    """A serializer with these options; ItsDangerous' own where the native part doesn't know them."""
    options: dict[str, Any] = {"salt": salt, "signer_kwargs": {"key_derivation": key_derivation, "digest_method": digest_method}}
    digest = digest_method().name
    is_known = digest in _DIGESTS and key_derivation in ("hmac", "concat", "django-concat", "none")
    if not is_known or not all(keys):
        plain: URLSafeTimedSerializer = URLSafeTimedSerializer(list(keys), serializer=serializer, **options)
        return plain
    codec = SignedCodec(list(keys), want_bytes(salt), key_derivation, digest)
    made = SignedSerializer(keys, codec, serializer, **options)
    made.lifetime = lifetime
    return made


class SealedSerializer(SessionSerializer):
    """What `SignedSerializer` is for signed cookies, for sealed ones. What it refuses is a `BadSignature`."""

    _codec: SealedCodec

    def __init__(self, keys: Sequence[bytes], name: str, max_age: int, serializer: Any) -> None:
        self.tagged_json = Json(serializer)
        self.lifetime = max_age
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
