"""The configurations that both twins are started with."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Configuration:
    """A name and the settings that differ from Flask's defaults, under Flask's names."""

    name: str
    settings: dict[str, Any]

    def environment(self) -> dict[str, str]:
        """The settings as `FLASK_*` variables: text as it is, everything else as JSON."""
        return {
            f"FLASK_{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in self.settings.items()
        }

    @property
    def secret(self) -> str:
        return str(self.settings["SECRET_KEY"])

    @property
    def fallbacks(self) -> list[str]:
        return list(self.settings.get("SECRET_KEY_FALLBACKS", []))

    @property
    def cookie_name(self) -> str:
        return str(self.settings.get("SESSION_COOKIE_NAME", "session"))

    @property
    def lifetime(self) -> int:
        return int(self.settings.get("PERMANENT_SESSION_LIFETIME", 31 * 24 * 3600))


def _named(name: str, **settings: Any) -> Configuration:
    return Configuration(name, {"SECRET_KEY": "dev"} | settings)


NAMED = [
    _named("default"),
    _named("strict", SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Strict"),
    _named("domain-path", SESSION_COOKIE_DOMAIN="example.com", SESSION_COOKIE_PATH="/app"),
    _named("httponly-off", SESSION_COOKIE_HTTPONLY=False),
    _named("partitioned", SESSION_COOKIE_PARTITIONED=True),
    _named("refresh-off", SESSION_REFRESH_EACH_REQUEST=False),
    _named("short-lifetime", PERMANENT_SESSION_LIFETIME=60),
    _named("shortest-lifetime", PERMANENT_SESSION_LIFETIME=1),
    _named("fallbacks", SECRET_KEY="the new key", SECRET_KEY_FALLBACKS=["the oldest key", "the old key"]),
    _named("cookie-name", SESSION_COOKIE_NAME="sid"),
    _named("host-name", SESSION_COOKIE_NAME="__Host-session", SESSION_COOKIE_SECURE=True),
    _named("small-size", MAX_COOKIE_SIZE=100),
    _named("size-off", MAX_COOKIE_SIZE=0),
    _named("text-key", SECRET_KEY="schlüssel ☃ 🔑", SESSION_COOKIE_SAMESITE="Lax"),
    _named(
        "everything",
        SECRET_KEY="b7d7f3a84c7e4d0fa3f7ce0e4f0be0d5",
        SECRET_KEY_FALLBACKS=["é"],
        SESSION_COOKIE_NAME="app.session",
        SESSION_COOKIE_DOMAIN=".example.com",
        SESSION_COOKIE_PATH="/a b;c",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=False,
        SESSION_COOKIE_SAMESITE="None",
        SESSION_COOKIE_PARTITIONED=True,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=3600,
        MAX_COOKIE_SIZE=200,
    ),
]

CHOICES: dict[str, list[Any]] = {
    "SECRET_KEY": ["dev", "k", "a longer key with spaces", "ключ", "x" * 200],
    "SECRET_KEY_FALLBACKS": [[], ["old"], ["oldest", "old"], ["dev"]],
    "SESSION_COOKIE_NAME": ["sid", "s", "Session", "__Secure-sid", "a_b-c.d"],
    "SESSION_COOKIE_DOMAIN": ["example.com", ".example.com", "bücher.example", "localhost", "example.com:5000"],
    "SESSION_COOKIE_PATH": ["/", "/app", "/app/", "/ä", "/100%"],
    "SESSION_COOKIE_SECURE": [True, False],
    "SESSION_COOKIE_HTTPONLY": [True, False],
    "SESSION_COOKIE_SAMESITE": ["Strict", "Lax", "None", "lax", "STRICT", None],
    "SESSION_COOKIE_PARTITIONED": [True, False],
    "SESSION_REFRESH_EACH_REQUEST": [True, False],
    "PERMANENT_SESSION_LIFETIME": [1, 3600, 86400, 10 * 366 * 86400],
    "MAX_COOKIE_SIZE": [0, 1, 1000, 4093, 100000],
}


def all_configurations(seed: int) -> list[Configuration]:
    """The named ones and two at random."""
    return NAMED + [at_random(f"random-{seed}-{number}") for number in (1, 2)]


def at_random(name: str) -> Configuration:
    """The configuration that `random-SEED-NUMBER` stands for."""
    rng = random.Random(name)
    settings = {key: rng.choice(values) for key, values in CHOICES.items() if rng.random() < 0.5}
    if settings.get("SESSION_COOKIE_SAMESITE") == "None" or settings.get("SESSION_COOKIE_NAME") == "__Secure-sid":
        # Flask sends such cookies without Secure as well; no browser keeps them, and Carafe refuses to start.
        settings["SESSION_COOKIE_SECURE"] = True
    return _named(name, **settings)


def find(name: str, seed: int) -> Configuration:
    """A configuration by its name. Raises `KeyError`."""
    if name.startswith("random-"):
        return at_random(name)
    return {configuration.name: configuration for configuration in all_configurations(seed)}[name]
