//! A target that fails at the worst moment: after the deed, without an answer, or before it.

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

/// What happens to the operations of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// They are carried out; then we are gone.
    AfterTheDeed,
    /// They are carried out; no answer comes.
    NoAnswer,
    /// Nothing is carried out; then we are gone.
    BeforeTheDeed,
    /// The first is carried out and no more; then we are gone.
    InTheMiddle,
}

impl Mishap {
    pub const ALL: [Mishap; 4] =
        [Mishap::AfterTheDeed, Mishap::NoAnswer, Mishap::BeforeTheDeed, Mishap::InTheMiddle];
}

/// Which operation it waits for.
pub type Meant = fn(&Operation) -> bool;

pub struct Shaky<T> {
    inner: T,
    trap: Mutex<Option<(Meant, Mishap)>>,
}

impl<T: ServiceProvider> Shaky<T> {
    pub fn new(inner: T, meant: Meant, mishap: Mishap) -> Shaky<T> {
        Shaky { inner, trap: Mutex::new(Some((meant, mishap))) }
    }

    pub fn sprung(&self) -> bool {
        self.trap.lock().expect("no test panics while it holds this").is_none()
    }

    fn springs(&self, operations: &[Operation]) -> Option<Mishap> {
        let mut trap = self.trap.lock().expect("no test panics while it holds this");
        let (meant, mishap) = (*trap)?;
        operations.iter().any(meant).then(|| {
            *trap = None;
            mishap
        })
    }

    async fn carry_out(&self, operations: &[Operation]) -> Result<Vec<Outcome>, TargetError> {
        let gone = || Err(TargetError::Unavailable { what: "the process was killed".to_owned() });
        match self.springs(operations) {
            None => self.inner.apply(operations).await,
            Some(Mishap::BeforeTheDeed) => gone(),
            Some(Mishap::AfterTheDeed) => {
                self.inner.apply(operations).await?;
                gone()
            }
            Some(Mishap::InTheMiddle) => {
                self.inner.apply(&operations[..1]).await?;
                gone()
            }
            Some(Mishap::NoAnswer) => {
                self.inner.apply(operations).await?;
                let unknown = Outcome::Unknown { detail: "no answer came".to_owned() };
                Ok(vec![unknown; operations.len()])
            }
        }
    }
}

impl<T: ServiceProvider> ServiceProvider for Shaky<T> {
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
        self.carry_out(operations).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.inner.check()
    }

    fn patience(&self) -> Duration {
        self.inner.patience()
    }

    fn batch(&self) -> usize {
        self.inner.batch()
    }

    fn requests(&self) -> u64 {
        self.inner.requests()
    }
}
