WITH deleted AS (
    DELETE FROM @.carafe_sessions
    WHERE id = $1 AND ($2 IS NULL OR version = $2)
    RETURNING id
)
SELECT pg_catalog.pg_notify(:channel, 's' || encode(id, 'hex')) FROM deleted
