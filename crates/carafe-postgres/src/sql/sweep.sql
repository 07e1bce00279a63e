-- Looks at the records that may have ended, the oldest first, and passes over those that somebody
-- is changing. Those that were used since get a later time to be looked at.
WITH due AS (
    SELECT tableoid AS part, ctid, ends FROM @.carafe_sessions
    WHERE sweep_at <= $1
    ORDER BY sweep_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), deleted AS (
    DELETE FROM @.carafe_sessions
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM due WHERE ends <= $1)) AND ends <= $1
        AND (tableoid, ctid) IN (SELECT part, ctid FROM due)
    RETURNING 1
), kept AS (
    UPDATE @.carafe_sessions SET sweep_at = ends
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM due WHERE ends > $1)) AND ends > $1
        AND (tableoid, ctid) IN (SELECT part, ctid FROM due)
    RETURNING 1
)
SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM deleted), (SELECT count(*) FROM kept)
