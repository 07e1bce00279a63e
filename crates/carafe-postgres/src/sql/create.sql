INSERT INTO @.carafe_sessions (id, version, ends, sweep_at, owner, record)
VALUES ($1, 1, $2, $2, $3, $4)
ON CONFLICT (id) DO NOTHING
