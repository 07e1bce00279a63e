SELECT EXISTS (SELECT FROM @.carafe_sessions WHERE owner = $1 AND ($2 IS NULL OR id <> $2))
