-- The schema that is asked for, or else the first of the search path that exists; whether it exists,
-- and whether this library's tables are in it.
SELECT
    name,
    EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = name),
    EXISTS (
        SELECT FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = name AND relname = 'carafe_schema'
    )
FROM (SELECT coalesce($1, current_schema()::text) AS name) AS asked
