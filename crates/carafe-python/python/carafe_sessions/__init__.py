"""Sessions for Flask and ASGI applications, in signed or sealed cookies or in a store that Rust services share.

- `carafe_sessions.flask.SessionInterface` for Flask
"""

__version__ = "0.1.0"
