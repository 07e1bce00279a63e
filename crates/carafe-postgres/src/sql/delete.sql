WITH deleted AS (
    DELETE FROM carafe_sessions
    WHERE id = $1 AND ($2 IS NULL OR version = $2)
    RETURNING 1
)
SELECT CASE
    WHEN EXISTS (SELECT FROM deleted) THEN 'done'
    WHEN EXISTS (SELECT FROM carafe_sessions WHERE id = $1) THEN 'conflict'
    ELSE 'gone'
END
