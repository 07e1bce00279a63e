-- An update to a record that is no session any more.
WITH retired AS (
    UPDATE @.carafe_sessions
    SET version = $6, ends = $3, sweep_at = least(sweep_at, $3), owner = $4, record = $5
    WHERE id = $1 AND version = $2
    RETURNING id
)
SELECT pg_catalog.pg_notify(:channel, 's' || encode(id, 'hex')) FROM retired
