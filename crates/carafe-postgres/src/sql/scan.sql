SELECT id, version, record FROM @.carafe_sessions WHERE id > $1 ORDER BY id LIMIT $2
