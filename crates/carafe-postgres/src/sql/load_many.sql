SELECT id, version, record FROM @.carafe_sessions WHERE id = ANY ($1)
