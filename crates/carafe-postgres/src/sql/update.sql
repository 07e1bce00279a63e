UPDATE @.carafe_sessions
SET version = $6, ends = $3, sweep_at = least(sweep_at, $3), owner = $4, record = $5
WHERE id = $1 AND version = $2
