-- Records that are updated stay on their page, and no index is touched (HOT): the pages keep room
-- for that, and no column is indexed that an ordinary update changes.
CREATE TABLE @.carafe_sessions (
    -- SHA-256 of the session's id.
    id bytea PRIMARY KEY,
    version bigint NOT NULL,
    -- When the record ends, in Unix seconds.
    ends bigint NOT NULL,
    -- When to look whether it has ended: never later than `ends`, and seldom changed.
    sweep_at bigint NOT NULL,
    -- SHA-256 of the user's name, if anybody is logged in.
    owner bytea,
    record bytea NOT NULL
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX carafe_sessions_sweep_at ON @.carafe_sessions (sweep_at);
CREATE INDEX carafe_sessions_owner ON @.carafe_sessions (owner) WHERE owner IS NOT NULL;

-- Sessions in cookies that were ended.
CREATE TABLE @.carafe_revoked_sessions (
    id bytea PRIMARY KEY,
    until bigint NOT NULL
);
CREATE INDEX carafe_revoked_sessions_until ON @.carafe_revoked_sessions (until);

-- Users whose logins up to a time count no more.
CREATE TABLE @.carafe_revoked_users (
    owner bytea PRIMARY KEY,
    not_before bigint NOT NULL,
    until bigint NOT NULL
);
CREATE INDEX carafe_revoked_users_until ON @.carafe_revoked_users (until);
