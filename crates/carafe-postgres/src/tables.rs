//! The store's statements, on the tables of one schema.

use carafe::store::{StoreError, StoreErrorKind};
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::{ToSql, Type};

/// The placeholder for the schema in the statements' texts.
const PLACEHOLDER: &str = "@";

/// The placeholder for the channel on which endings are announced.
const CHANNEL: &str = ":channel";

/// The longest name that PostgreSQL doesn't cut off.
const LONGEST_NAME: usize = 63;

macro_rules! statements {
    ($($name:ident: $file:literal,)*) => {
        /// The statements that a server may remember.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Sql {
            $($name,)*
        }

        const TEXTS: &[&str] = &[$(include_str!(concat!("sql/", $file, ".sql"))),*];
    };
}

statements! {
    Create: "create",
    Load: "load",
    LoadMany: "load_many",
    Exists: "exists",
    Update: "update",
    Retire: "retire",
    Delete: "delete",
    ListForUser: "list_for_user",
    DeleteForUser: "delete_for_user",
    LeftForUser: "left_for_user",
    Sweep: "sweep",
    SweepRevocations: "sweep_revocations",
    Revoke: "revoke",
    RevokeUser: "revoke_user",
    Revocations: "revocations",
    Scan: "scan",
}

/// A parameter of a statement, and its type. With the type the server need not be asked for it,
/// which would take another round trip.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A statement, and the key by which a connection remembers it.
#[derive(Clone, Copy)]
pub(crate) struct Statement<'a> {
    pub(crate) text: &'a str,
    pub(crate) name: Option<Sql>,
}

impl<'a> Statement<'a> {
    /// Creates a statement that is run once.
    pub(crate) fn once(text: &'a str) -> Self {
        Self { text, name: None }
    }
}

/// The tables of one schema.
///
/// Their names are qualified: if the search path has several schemas, the tables of another service
/// are never taken for this service's.
pub(crate) struct Tables {
    schema: String,
    texts: Vec<String>,
}

impl Tables {
    pub(crate) fn new(schema: &str) -> Self {
        let literal = format!("'{}'", channel(schema));
        let schema = quoted(schema);
        let text = |text: &&str| text.replace(PLACEHOLDER, &schema).replace(CHANNEL, &literal);
        let texts = TEXTS.iter().map(text).collect();
        Self { schema, texts }
    }

    pub(crate) fn statement(&self, name: Sql) -> Statement<'_> {
        let text = self.texts.get(name as usize).map_or("", String::as_str);
        Statement { text, name: Some(name) }
    }

    /// Returns the schema's name, quoted.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Replaces the placeholder in a text by this schema.
    pub(crate) fn qualify(&self, text: &str) -> String {
        text.replace(PLACEHOLDER, &self.schema)
    }
}

/// Returns the channel for the endings in a schema: letters and digits. All schemas of a database
/// share their channels, and a channel with the schema's name in it could be too long.
pub(crate) fn channel(schema: &str) -> String {
    let hash = Sha256::digest(schema);
    hash.iter().take(16).fold("carafe_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Checks the name of a schema.
pub(crate) fn check_schema(name: &str) -> Result<(), StoreError> {
    let is_good = (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(|char| char.is_alphanumeric() || "_-".contains(char));
    match is_good {
        true => Ok(()),
        false => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the name of the PostgreSQL schema must be of letters, digits, `_` and `-`, 63 bytes at \
             most",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_names_the_schema() {
        let tables = Tables::new("a\"b");
        for text in &tables.texts {
            assert!(!text.contains(PLACEHOLDER), "{text}");
            // The channel of notices begins alike, and is no table.
            let text = text.replace(&channel("a\"b"), "");
            let tables = text.matches("carafe_").count();
            assert!(tables > 0 && tables == text.matches("\"a\"\"b\".carafe_").count(), "{text}");
        }
        let (tables, other) = (Tables::new("shop"), Tables::new("blog"));
        assert_ne!(channel("shop"), channel("blog"));
        let of_shop = format!("('{}',", channel("shop"));
        assert!(tables.statement(Sql::Delete).text.contains(&of_shop));
        assert!(!other.statement(Sql::Delete).text.contains(&of_shop));
        assert!(tables.texts.iter().all(|text| !text.contains(CHANNEL)));
        assert!(tables.statement(Sql::Scan).text.contains("WHERE id > $1 ORDER BY id"));
        assert!(tables.statement(Sql::Create).text.starts_with("INSERT"));
    }

    #[test]
    fn names_of_schemas_are_checked() {
        for good in ["shop", "Shop-2", "läden", &"x".repeat(63)] {
            assert!(check_schema(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\"b", "a.b", "$migration$", "a\0", &"x".repeat(64)] {
            assert!(check_schema(bad).is_err(), "{bad}");
        }
    }
}
