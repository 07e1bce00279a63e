-- In the record's binary form the session's public id follows the first byte.
WITH deleted AS (
    DELETE FROM @.carafe_sessions
    WHERE owner = $1 AND ($2 IS NULL OR substring(record FROM 2 FOR 16) <> $2)
    RETURNING id
)
SELECT count(pg_catalog.pg_notify(:channel, 's' || encode(id, 'hex'))) FROM deleted
