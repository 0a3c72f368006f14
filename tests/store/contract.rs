//! Both stores of this crate keep the contract, and so do a box around one and a store that keeps
//! more than it is asked to. Ours keep no more than that.

use std::time::{Duration, SystemTime};

use sse_tower::store::{BoxStore, Entry, EventStore, MemoryStore, RedbStore, TopicKey};
use sse_tower::{Cursor, Retention};

use crate::TempPath;
use crate::around::Habits;

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

/// A store of somebody else, which trims when it likes.
struct Lax;

impl Habits for Lax {
    fn retention(&self, _: Retention) -> Retention {
        Retention::events(usize::MAX).bytes(usize::MAX)
    }
}

mod lax {
    use sse_tower::store::MemoryStore;

    use super::Lax;
    use crate::around::Around;

    fn place() -> impl AsyncFn() -> Around<Lax> {
        let store = MemoryStore::new();
        async move || {
            let store = store.clone();
            Around { store, habits: Lax }
        }
    }

    sse_tower::event_store_contract!(place());
}

#[tokio::test]
async fn our_stores_keep_no_more_than_they_are_asked_to() {
    let path = TempPath::new();
    let memory = BoxStore::new(MemoryStore::new());
    for store in [memory, BoxStore::new(RedbStore::open(&path.0).unwrap())] {
        let topic = TopicKey::new("exact");
        let start = store.open(&topic).await.unwrap().head;
        let after = |count| Cursor::new(start.epoch(), count);
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let entries =
            [10, 20, 30, 40, 50].map(|millis| Entry::new(&b"data: x\n\n"[..], at(millis)));
        store.append(&topic, after(1), &entries).await.unwrap();
        let many = Retention::events(100);
        let size = entries[0].bytes().len();
        let aged = many.age(Duration::from_millis(100));
        for (retention, now, gone) in [
            (Retention::events(5), 0, 0),
            (Retention::events(4), 0, 1),
            (many.bytes(3 * size), 0, 2),
            (many.bytes(3 * size - 1), 0, 3),
            (aged, 139, 3),
            (aged, 140, 4),
            (many.bytes(1), 0, 4),
            (aged, 150, 5),
        ] {
            let trimmed = store.trim(&topic, retention, at(now)).await;
            assert_eq!(trimmed.unwrap(), after(gone), "{retention:?} at {now} ms");
        }
    }
}
