SELECT 1 FROM @.carafe_sessions WHERE id = $1
