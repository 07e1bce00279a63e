"""The signals about events of sessions. The sender is the application; `session` is the session.

    from carafe_sessions.signals import session_logged_in

    @session_logged_in.connect_via(app)
    def note(app, session, user):
        app.logger.info("user %s logged in", user)
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

#: A user logged in, and the session was saved. With `user`, the user's id as text.
session_logged_in = _signals.signal("session-logged-in")

#: The session of a user was ended. With `user`.
session_logged_out = _signals.signal("session-logged-out")

#: A session wasn't saved, since it had ended meanwhile or was changed by another request. With `error`.
session_refused = _signals.signal("session-refused")

#: The store failed, or was too slow. With `error`.
session_store_failed = _signals.signal("session-store-failed")
