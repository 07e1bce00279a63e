WITH deleted AS (
    DELETE FROM @.carafe_sessions
    WHERE owner = $1 AND ($2 IS NULL OR id <> $2)
    RETURNING 1
)
SELECT count(*) FROM deleted
