//! Both stores of this crate keep the contract, and so does a box around one.

mod memory {
    use sse_tower::store::MemoryStore;

    fn place() -> impl AsyncFn() -> MemoryStore {
        let store = MemoryStore::new();
        async move || store.clone()
    }

    sse_tower::event_store_contract!(place());
}

mod redb {
    use sse_tower::store::RedbStore;

    use crate::TempPath;

    fn place() -> impl AsyncFn() -> RedbStore {
        let path = TempPath::new();
        async move || RedbStore::open(&path.0).unwrap()
    }

    sse_tower::event_store_contract!(place());
}

mod boxed {
    use sse_tower::store::{BoxStore, MemoryStore};

    fn place() -> impl AsyncFn() -> BoxStore {
        let store = BoxStore::new(MemoryStore::new());
        async move || store.clone()
    }

    sse_tower::event_store_contract!(place());
}
