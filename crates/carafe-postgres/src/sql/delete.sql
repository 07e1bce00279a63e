DELETE FROM @.carafe_sessions
WHERE id = $1 AND ($2 IS NULL OR version = $2)
