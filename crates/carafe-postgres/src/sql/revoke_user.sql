WITH revoked AS (
    INSERT INTO @.carafe_revoked_users AS held VALUES ($1, $2, $3)
    ON CONFLICT (owner) DO UPDATE SET
        not_before = greatest(held.not_before, excluded.not_before),
        until = greatest(held.until, excluded.until)
    RETURNING owner
)
SELECT pg_catalog.pg_notify(:channel, 'u' || encode(owner, 'hex')) FROM revoked
