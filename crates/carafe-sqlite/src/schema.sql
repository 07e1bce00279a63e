-- Sessions. Their key is SHA-256 of the id that the visitor's cookie has.
CREATE TABLE "%session" (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    -- Who is logged in.
    user TEXT,
    -- When the session ends unless it is used, in Unix seconds.
    ends INTEGER NOT NULL,
    -- The record in the binary form of Record::to_bytes.
    record BLOB NOT NULL
) STRICT;
CREATE INDEX "%session_user" ON "%session" (user) WHERE user IS NOT NULL;
CREATE INDEX "%session_ends" ON "%session" (ends);

-- Sessions in cookies that were ended.
CREATE TABLE "%revoked_session" (
    id BLOB PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX "%revoked_session_until" ON "%revoked_session" (until);

-- Users whose earlier logins in cookies count no more.
CREATE TABLE "%revoked_user" (
    user TEXT PRIMARY KEY,
    not_before INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX "%revoked_user_until" ON "%revoked_user" (until);
