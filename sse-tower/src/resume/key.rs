//! Which requests belong to one run.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What a run is named by, before it is said whose it is.
///
/// It is no key yet: later connections bypass the handler and with it what the handler checks,
/// so a key says who may attach, by [`principal`](Self::principal) or [`public`](Self::public).
///
/// Make it of values, in a tuple if there are several: `(tenant, chat)` cannot be mistaken for
/// another pair, as a text in which both are joined can.
///
/// # Examples
///
/// ```
/// use sse_tower::RunKey;
///
/// let ours = RunKey::new(("chat", 7)).principal("ada");
/// assert!(ours == RunKey::new(("chat", 7)).principal("ada"));
/// assert!(ours != RunKey::new(("chat", 7)).principal("bob"));
/// assert!(ours != RunKey::new(("chat", 7)).public());
/// ```
///
/// A key that belongs to nobody does not compile:
///
/// ```compile_fail,E0308
/// use sse_tower::{ResumeLayer, RunKey};
///
/// let layer = ResumeLayer::by(|parts| Some(RunKey::new(parts.uri.path().to_owned())));
/// ```
#[must_use = "a key needs a principal, or to be public"]
pub struct RunKey<I>(I);

impl<I: Hash + Eq + Send + Sync + 'static> RunKey<I> {
    /// The run `id`, of whoever comes next.
    pub fn new(id: I) -> Self {
        Self(id)
    }

    /// The run of `principal`, whom an outer layer or [`by`](crate::ResumeLayer::by) itself has
    /// authenticated.
    ///
    /// Somebody else with the same id has another run. Who is nobody has no principal: let `by`
    /// return `None`, rather than share one run among all who are not logged in.
    #[must_use]
    pub fn principal<P: Hash + Eq + Send + Sync + 'static>(self, principal: P) -> ScopedRunKey {
        ScopedRunKey(Arc::new(Of {
            id: self.0,
            principal,
        }))
    }

    /// The run of whoever knows its id.
    #[must_use]
    pub fn public(self) -> ScopedRunKey {
        ScopedRunKey(Arc::new(Public(self.0)))
    }
}

impl<I> fmt::Debug for RunKey<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunKey").finish_non_exhaustive()
    }
}

/// The key of a run and who may attach to it; [`RunKey`] makes it.
///
/// Two keys are equal if their values are, and the types of these.
#[derive(Clone)]
pub struct ScopedRunKey(Arc<dyn ErasedKey>);

#[derive(PartialEq, Eq, Hash)]
struct Of<I, P> {
    id: I,
    principal: P,
}

#[derive(PartialEq, Eq, Hash)]
struct Public<I>(I);

/// A key of any type.
trait ErasedKey: Any + Send + Sync {
    fn equals(&self, other: &dyn ErasedKey) -> bool;
    fn feed(&self, hasher: &mut dyn Hasher);
}

impl<K: Hash + Eq + Send + Sync + 'static> ErasedKey for K {
    fn equals(&self, other: &dyn ErasedKey) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref() == Some(self)
    }

    fn feed(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }
}

impl PartialEq for ScopedRunKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
    }
}

impl Eq for ScopedRunKey {}

impl Hash for ScopedRunKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.feed(state);
    }
}

/// Shows nothing: keys may be secret.
impl fmt::Debug for ScopedRunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedRunKey").finish_non_exhaustive()
    }
}
