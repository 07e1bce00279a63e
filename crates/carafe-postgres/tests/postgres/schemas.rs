//! Services that share a database, and the rights that they need.

use carafe::store::{RevocationStore, SessionStore as _, StoreErrorKind, UserRevocation};
use carafe_postgres::{PostgresOptions, PostgresStore};

use super::database::{Database, options};
use super::{NOW, id, record};

async fn sessions_of_ann(store: &PostgresStore) -> usize {
    store.list_for_user("ann", NOW).await.unwrap().len()
}

async fn tables_in(database: &Database, schema: &str) -> usize {
    let sql = format!("SELECT 1 FROM pg_tables WHERE schemaname = '{schema}'");
    database.query(&sql).await.len()
}

#[tokio::test]
async fn services_with_a_schema_each_are_apart() {
    let database = Database::create().await;
    database.administer("GRANT CREATE ON DATABASE postgres TO USER").await;
    let name = |service: &str| format!("{}-{service}", schema_of(&database));
    let open = |service| options(database.url()).schema(name(service)).open().unwrap();
    let (shop, blog) = (open("shop"), open("blog"));
    for store in [&shop, &blog] {
        assert!(store.create(&id(), &record(Some("ann")), NOW).await.unwrap());
    }
    assert_eq!(shop.delete_for_user("ann", None).await.unwrap(), 1);
    assert_eq!((sessions_of_ann(&shop).await, sessions_of_ann(&blog).await), (0, 1));
    shop.revoke_user("ann", UserRevocation { logins_up_to: NOW, until: NOW + 100 }, NOW)
        .await
        .unwrap();
    let revoked = blog.revocations(&id(), Some("ann"), NOW).await.unwrap();
    assert_eq!(revoked.not_before, None);
    let again = open("blog");
    assert_eq!(sessions_of_ann(&again).await, 1);
    assert_eq!(tables_in(&database, &schema_of(&database)).await, 0);
}

fn schema_of(database: &Database) -> String {
    let url = database.url();
    url.split("://").nth(1).unwrap().split('@').next().unwrap().to_owned()
}

/// The tables of a schema that is only searched later belong to another service.
#[tokio::test]
async fn tables_of_a_schema_that_is_searched_later_are_left_alone() {
    let database = Database::create_directly().await;
    database.administer("CREATE SCHEMA USER_blog AUTHORIZATION USER").await;
    let other = database.store();
    assert!(other.create(&id(), &record(Some("ann")), NOW).await.unwrap());
    database.administer("ALTER ROLE USER SET search_path = missing, USER_blog, USER").await;
    for migrates in [true, false] {
        let store = options(database.url()).migrate_at_first_use(migrates).open().unwrap();
        assert_eq!(sessions_of_ann(&store).await, 0);
        assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 0);
    }
    assert_eq!(sessions_of_ann(&other).await, 1);
    let blog = format!("{}_blog", schema_of(&database));
    assert_eq!(tables_in(&database, &blog).await, 4);
}

/// The names that statements search for must not change the tables that they find.
#[tokio::test]
async fn a_schema_that_appears_later_changes_nothing() {
    let database = Database::create_directly().await;
    database.administer("ALTER ROLE USER SET search_path = USER_new, USER").await;
    let store = database.store();
    assert!(store.create(&id(), &record(Some("ann")), NOW).await.unwrap());
    database.administer("CREATE SCHEMA USER_new AUTHORIZATION USER").await;
    assert_eq!(sessions_of_ann(&store).await, 1);
}

#[tokio::test]
async fn a_search_path_without_any_schema_is_an_error_that_says_so() {
    let database = Database::create_directly().await;
    database.administer("ALTER ROLE USER SET search_path = missing").await;
    let error = database.store().load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("`search_path`"), "{error}");
    let schema = schema_of(&database);
    let store = options(database.url()).schema(schema).open().unwrap();
    assert!(store.create(&id(), &record(None), NOW).await.unwrap());
}

async fn refused(options: PostgresOptions) -> String {
    let error = options.open().unwrap().create(&id(), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_missing_right_is_said_with_the_statement_that_grants_it() {
    let database = Database::create_directly().await;
    // As `public` is since PostgreSQL 15.
    let public = "CREATE SCHEMA USER_public; GRANT USAGE ON SCHEMA USER_public TO USER; \
                  ALTER ROLE USER SET search_path = USER_public";
    database.administer(public).await;
    let error = refused(options(database.url())).await;
    let grant = format!("GRANT CREATE ON SCHEMA \"{}_public\" TO", schema_of(&database));
    assert!(error.contains(&grant), "{error}");
    assert!(error.contains("PostgresOptions::schema"), "{error}");

    let error = refused(options(database.url()).schema("of-its-own")).await;
    assert!(error.contains("CREATE SCHEMA \"of-its-own\" AUTHORIZATION"), "{error}");

    let schema = format!("{}_closed", schema_of(&database));
    database.administer("CREATE SCHEMA USER_closed").await;
    let closed = || options(database.url()).schema(&schema).migrate_at_first_use(false);
    let error = refused(closed()).await;
    assert!(error.contains("42501, the role lacks a right: it needs USAGE"), "{error}");
    database.administer("GRANT USAGE ON SCHEMA USER_closed TO USER").await;
    let error = refused(closed()).await;
    assert!(error.contains("PostgresStore::migrate"), "{error}");
}

#[tokio::test]
async fn the_tables_of_another_role_can_be_used() {
    let database = Database::create_directly().await;
    let owner = super::database::direct_url();
    let schema = format!("{}_closed", schema_of(&database));
    options(owner).schema(&schema).open().unwrap().migrate().await.unwrap();
    let rights = "GRANT USAGE ON SCHEMA USER_closed TO USER; \
                  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA USER_closed TO USER";
    database.administer(rights).await;
    for migrates in [true, false] {
        let store = options(database.url()).schema(&schema).migrate_at_first_use(migrates);
        let store = store.open().unwrap();
        assert!(store.create(&id(), &record(None), NOW).await.unwrap());
        store.delete_expired(NOW, 10).await.unwrap();
    }
}
