SELECT version, record FROM @.carafe_sessions WHERE id = $1
