SELECT
    EXISTS (SELECT FROM @.carafe_revoked_sessions WHERE id = $1 AND until > $3),
    (SELECT not_before FROM @.carafe_revoked_users WHERE owner = $2 AND until > $3)
