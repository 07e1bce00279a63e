SELECT EXISTS (SELECT FROM @.carafe_sessions WHERE owner = $1 AND ($2 IS NULL OR substring(record FROM 2 FOR 16) <> $2))
