use std::fmt::Write as _;

/// What brings the tables from each version to the next.
const MIGRATIONS: [&str; 1] = [include_str!("sql/1.sql")];

/// The version that this library works with.
pub(crate) const VERSION: i32 = MIGRATIONS.len() as i32;

/// Whether any version has been applied.
pub(crate) const EXISTS: &str = "SELECT to_regclass('carafe_schema') IS NOT NULL";

/// Which version the tables have.
pub(crate) const CURRENT: &str = "SELECT coalesce(max(version), 0) FROM carafe_schema";

/// Everything that is missing; of several processes at once, one does it. Sent as one query, it is
/// one transaction.
pub(crate) fn all() -> String {
    let mut sql = "SELECT pg_advisory_xact_lock(7309940738225008995);\n\
         CREATE TABLE IF NOT EXISTS carafe_schema (version int PRIMARY KEY);\n"
        .to_owned();
    for (version, migration) in (1..).zip(MIGRATIONS) {
        // Writing to a string can't fail.
        let _ = write!(
            sql,
            "DO $migration$ BEGIN\n\
             IF NOT EXISTS (SELECT FROM carafe_schema WHERE version = {version}) THEN\n\
             {migration}\n\
             INSERT INTO carafe_schema VALUES ({version});\n\
             END IF;\nEND $migration$;\n"
        );
    }
    sql
}
