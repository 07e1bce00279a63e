SELECT id, version, record FROM @.carafe_sessions WHERE owner = $1 AND ends > $2
