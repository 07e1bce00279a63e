WITH written AS (
    UPDATE carafe_sessions
    SET version = $6, ends = $3, sweep_at = least(sweep_at, $3), owner = $4, record = $5
    WHERE id = $1 AND version = $2
    RETURNING 1
)
SELECT CASE
    WHEN EXISTS (SELECT FROM written) THEN 'done'
    WHEN EXISTS (SELECT FROM carafe_sessions WHERE id = $1) THEN 'conflict'
    ELSE 'gone'
END
