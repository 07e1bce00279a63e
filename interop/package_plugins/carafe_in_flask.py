"""A plugin for pytest: every Flask application has sessions of the package `carafe_sessions`, in `CARAFE_STORE` if it is set."""

from __future__ import annotations

import os

import flask
from carafe_sessions.flask import SessionInterface

flask.Flask.session_interface = SessionInterface(os.environ.get("CARAFE_STORE") or None)
