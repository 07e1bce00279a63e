"""ItsDangerous' signers and serializers, with their signatures made and checked by the native part.

    from carafe_sessions.itsdangerous import URLSafeTimedSerializer

    serializer = URLSafeTimedSerializer("secret key", salt="invite")
    token = serializer.dumps({"user": 42})
    assert serializer.loads(token, max_age=3600) == {"user": 42}

The classes are ItsDangerous' own, which they are derived from: the same arguments, results, exceptions and bytes. Native
are the derivation of the keys, which is done once, and the signatures. Python's are the payload's JSON, its compression,
and the judgement of everything that is not plainly right: what the native part does not accept, ItsDangerous looks at
again. Other digests than SHA-1, SHA-256, SHA-384 and SHA-512, other algorithms than HMAC, and subclasses with a
`derive_key` of their own are ItsDangerous' altogether.
"""

from __future__ import annotations

from typing import Any

import itsdangerous as _original
from itsdangerous import (
    BadData,
    BadHeader,
    BadPayload,
    BadSignature,
    BadTimeSignature,
    HMACAlgorithm,
    NoneAlgorithm,
    SignatureExpired,
    base64_decode,
    base64_encode,
    want_bytes,
)

from ._core import CoreError, SignedCodec

__all__ = [
    "BadData",
    "BadHeader",
    "BadPayload",
    "BadSignature",
    "BadTimeSignature",
    "HMACAlgorithm",
    "NoneAlgorithm",
    "Serializer",
    "SignatureExpired",
    "Signer",
    "TimedSerializer",
    "TimestampSigner",
    "URLSafeSerializer",
    "URLSafeTimedSerializer",
    "base64_decode",
    "base64_encode",
    "want_bytes",
]

_DIGESTS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_codecs: dict[tuple[Any, ...], SignedCodec | None] = {}
#: The largest number of keys of an application; a program that makes keys all the time must not fill the memory.
_MOST_CODECS = 256


def _codec(signer: _original.Signer) -> SignedCodec | None:
    """The native part for a signer; `None` if it is none that the native part knows."""
    algorithm = signer.algorithm
    if type(algorithm) is not HMACAlgorithm or type(signer).derive_key is not _original.Signer.derive_key:
        return None
    if algorithm.digest_method is not signer.digest_method:
        return None
    made_of = (tuple(signer.secret_keys), signer.salt, signer.key_derivation, signer.digest_method)
    try:
        return _codecs[made_of]
    except KeyError:
        if len(_codecs) >= _MOST_CODECS:
            _codecs.clear()
        _codecs[made_of] = codec = _made(signer)
        return codec


def _made(signer: _original.Signer) -> SignedCodec | None:
    digest = getattr(signer.digest_method(), "name", None)
    if digest not in _DIGESTS or not all(signer.secret_keys):
        return None
    try:
        return SignedCodec(list(signer.secret_keys), signer.salt, signer.key_derivation, digest)
    except CoreError:
        # A derivation of an unknown name, for example: ItsDangerous raises the error.
        return None


class _Native(_original.Signer):
    """Signs with the native part where it can."""

    def get_signature(self, value: str | bytes) -> bytes:
        """The signature of a value."""
        codec = _codec(self)
        return super().get_signature(value) if codec is None else codec.signature(want_bytes(value))

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        """Whether a value has this signature."""
        codec = _codec(self)
        if codec is not None and codec.verifies(want_bytes(value), want_bytes(sig)):
            return True
        return super().verify_signature(value, sig)


class Signer(_Native):
    """ItsDangerous' `Signer`."""


class TimestampSigner(_Native, _original.TimestampSigner):
    """ItsDangerous' `TimestampSigner`."""


class Serializer(_original.Serializer):
    """ItsDangerous' `Serializer`."""

    default_signer = Signer


class TimedSerializer(_original.TimedSerializer):
    """ItsDangerous' `TimedSerializer`."""

    default_signer = TimestampSigner


class URLSafeSerializer(_original.URLSafeSerializer):
    """ItsDangerous' `URLSafeSerializer`."""

    default_signer = Signer


class URLSafeTimedSerializer(_original.URLSafeTimedSerializer):
    """ItsDangerous' `URLSafeTimedSerializer`."""

    default_signer = TimestampSigner
