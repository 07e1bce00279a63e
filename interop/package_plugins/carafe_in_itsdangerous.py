"""A plugin for pytest: ItsDangerous' classes come from the package `carafe_sessions`."""

from __future__ import annotations

import itsdangerous.serializer
import itsdangerous.signer
import itsdangerous.timed
import itsdangerous.url_safe
from carafe_sessions import itsdangerous as native

for module, names in (
    (itsdangerous.signer, ["Signer"]),
    (itsdangerous.timed, ["TimestampSigner", "TimedSerializer"]),
    (itsdangerous.serializer, ["Serializer"]),
    (itsdangerous.url_safe, ["URLSafeSerializer", "URLSafeTimedSerializer"]),
):
    for name in names:
        setattr(module, name, getattr(native, name))
