-- Looks at the records that may have ended, the oldest first, and passes over those that somebody
-- is changing. Those that were used since get a later time to be looked at. What has ended by the
-- caller's clock must have ended by the server's as well.
WITH clock AS (
    SELECT least($1, floor(extract(epoch FROM now()))::bigint) AS now
), due AS (
    SELECT tableoid AS part, ctid, ends FROM @.carafe_sessions
    WHERE sweep_at <= (SELECT now FROM clock)
    ORDER BY sweep_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), deleted AS (
    DELETE FROM @.carafe_sessions
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM due WHERE ends <= (SELECT now FROM clock)))
        AND ends <= (SELECT now FROM clock)
        AND (tableoid, ctid) IN (SELECT part, ctid FROM due)
    RETURNING 1
), kept AS (
    UPDATE @.carafe_sessions SET sweep_at = ends
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM due WHERE ends > (SELECT now FROM clock)))
        AND ends > (SELECT now FROM clock)
        AND (tableoid, ctid) IN (SELECT part, ctid FROM due)
    RETURNING 1
)
SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM deleted), (SELECT count(*) FROM kept)
