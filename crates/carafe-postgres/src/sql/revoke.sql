WITH revoked AS (
    INSERT INTO @.carafe_revoked_sessions AS held VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET until = greatest(held.until, excluded.until)
    RETURNING id
)
SELECT pg_catalog.pg_notify(:channel, 's' || encode(id, 'hex')) FROM revoked
