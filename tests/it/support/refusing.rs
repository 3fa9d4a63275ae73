//! A target that does not take some of what it is sent; the rest reaches the workspace behind it.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use rosterd::model::Finding;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::targets::Found;
use rosterd::targets::Listed;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::TargetError;

/// What becomes of an operation; `None`: it is carried out.
pub type Refusal = Box<dyn Fn(&Operation) -> Option<Outcome> + Send>;

pub struct Refusing<T> {
    inner: T,
    refusal: Mutex<Refusal>,
    refused: Mutex<usize>,
    /// So long a request may still be under way.
    pub patience: Duration,
}

impl<T: ServiceProvider> Refusing<T> {
    pub fn new(inner: T) -> Refusing<T> {
        Refusing {
            inner,
            refusal: Mutex::new(Box::new(|_| None)),
            refused: Mutex::default(),
            patience: Duration::ZERO,
        }
    }

    pub fn refuse(&self, refusal: impl Fn(&Operation) -> Option<Outcome> + Send + 'static) {
        *self.refusal.lock().expect("no test panics while it holds this") = Box::new(refusal);
    }

    /// How many operations it did not take since this was asked last.
    pub fn refused(&self) -> usize {
        std::mem::take(&mut *self.refused.lock().expect("no test panics while it holds this"))
    }

    fn judge(&self, operation: &Operation) -> Option<Outcome> {
        let outcome = (self.refusal.lock().expect("no test panics while it holds this"))(operation);
        *self.refused.lock().expect("no test panics while it holds this") += usize::from(outcome.is_some());
        outcome
    }
}

impl<T: ServiceProvider> ServiceProvider for Refusing<T> {
    fn identity(&self) -> String {
        self.inner.identity()
    }

    fn find<'a>(&'a self, lookups: &'a [Lookup]) -> BoxFuture<'a, Result<Vec<Vec<Found>>, TargetError>> {
        self.inner.find(lookups)
    }

    fn get<'a>(
        &'a self,
        ids: &'a [(Kind, ResourceId)],
    ) -> BoxFuture<'a, Result<Vec<Option<Found>>, TargetError>> {
        self.inner.get(ids)
    }

    fn list(&self, kind: Kind) -> BoxStream<'_, Result<Listed, TargetError>> {
        self.inner.list(kind)
    }

    fn members<'a>(
        &'a self,
        team: &'a ResourceId,
    ) -> BoxFuture<'a, Result<Option<Vec<ResourceId>>, TargetError>> {
        self.inner.members(team)
    }

    fn apply<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, TargetError>> {
        async move {
            let judged: Vec<Option<Outcome>> = operations.iter().map(|one| self.judge(one)).collect();
            let taken = operations.iter().zip(&judged).filter(|(_, judged)| judged.is_none());
            let taken: Vec<Operation> = taken.map(|(operation, _)| operation.clone()).collect();
            let mut done = self.inner.apply(&taken).await?.into_iter();
            Ok(judged.into_iter().filter_map(|judged| judged.or_else(|| done.next())).collect())
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.inner.check()
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn batch(&self) -> usize {
        self.inner.batch()
    }

    fn requests(&self) -> u64 {
        self.inner.requests()
    }
}
