WITH sessions AS (
    DELETE FROM @.carafe_revoked_sessions
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM @.carafe_revoked_sessions WHERE until <= $1
        ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED
    )) AND until <= $1
    RETURNING 1
), users AS (
    DELETE FROM @.carafe_revoked_users
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM @.carafe_revoked_users WHERE until <= $1
        ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED
    )) AND until <= $1
    RETURNING 1
)
SELECT greatest((SELECT count(*) FROM sessions), (SELECT count(*) FROM users))
