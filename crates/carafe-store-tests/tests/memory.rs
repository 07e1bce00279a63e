//! The store in memory passes the suite.

use std::sync::Arc;

use carafe::store::MemoryStore;
use carafe_store_tests::Fixture;

struct Memory(Arc<MemoryStore>);

impl Fixture for Memory {
    type Store = Arc<MemoryStore>;

    async fn open(&self) -> Self::Store {
        Arc::clone(&self.0)
    }
}

async fn memory() -> Memory {
    Memory(Arc::default())
}

carafe_store_tests::suite!(memory);
