-- What has ended by the caller's clock must have ended by the server's as well.
WITH clock AS (
    SELECT least($1, floor(extract(epoch FROM now()))::bigint) AS now
), sessions AS (
    DELETE FROM @.carafe_revoked_sessions
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM @.carafe_revoked_sessions WHERE until <= (SELECT now FROM clock)
        ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED
    )) AND until <= (SELECT now FROM clock)
    RETURNING 1
), users AS (
    DELETE FROM @.carafe_revoked_users
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM @.carafe_revoked_users WHERE until <= (SELECT now FROM clock)
        ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED
    )) AND until <= (SELECT now FROM clock)
    RETURNING 1
)
SELECT greatest((SELECT count(*) FROM sessions), (SELECT count(*) FROM users))
