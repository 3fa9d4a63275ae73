//! Targets whose lists are cut, or that do not answer.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
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

/// Its lists show no more than so many resources.
pub struct Lying {
    pub inner: Arc<dyn ServiceProvider>,
    pub shows: usize,
    /// What it says of them.
    pub partial: Option<String>,
}

impl Lying {
    fn cut(&self, piece: Result<Listed, TargetError>) -> Result<Listed, TargetError> {
        Ok(match piece? {
            Listed::Page(mut page) => {
                page.truncate(self.shows);
                Listed::Page(page)
            }
            Listed::End { .. } => Listed::End { partial: self.partial.clone() },
        })
    }
}

/// It neither lists nor shows anything.
pub struct Silent {
    pub inner: Arc<dyn ServiceProvider>,
}

fn down() -> TargetError {
    TargetError::Unavailable { what: "the service is down".to_owned() }
}

macro_rules! passed_on {
    () => {
        fn identity(&self) -> String {
            self.inner.identity()
        }

        fn find<'a>(&'a self, lookups: &'a [Lookup]) -> BoxFuture<'a, Result<Vec<Vec<Found>>, TargetError>> {
            self.inner.find(lookups)
        }

        fn members<'a>(
            &'a self,
            team: &'a ResourceId,
        ) -> BoxFuture<'a, Result<Option<Vec<ResourceId>>, TargetError>> {
            self.inner.members(team)
        }

        fn apply<'a>(
            &'a self,
            operations: &'a [Operation],
        ) -> BoxFuture<'a, Result<Vec<Outcome>, TargetError>> {
            self.inner.apply(operations)
        }

        fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
            self.inner.check()
        }

        fn batch(&self) -> usize {
            self.inner.batch()
        }

        fn requests(&self) -> u64 {
            self.inner.requests()
        }
    };
}

impl ServiceProvider for Lying {
    passed_on!();

    fn get<'a>(
        &'a self,
        ids: &'a [(Kind, ResourceId)],
    ) -> BoxFuture<'a, Result<Vec<Option<Found>>, TargetError>> {
        self.inner.get(ids)
    }

    fn list(&self, kind: Kind) -> BoxStream<'_, Result<Listed, TargetError>> {
        self.inner.list(kind).map(|piece| self.cut(piece)).boxed()
    }
}

impl ServiceProvider for Silent {
    passed_on!();

    fn get<'a>(
        &'a self,
        _: &'a [(Kind, ResourceId)],
    ) -> BoxFuture<'a, Result<Vec<Option<Found>>, TargetError>> {
        Box::pin(async { Err(down()) })
    }

    fn list(&self, _: Kind) -> BoxStream<'_, Result<Listed, TargetError>> {
        stream::iter([Err(down())]).boxed()
    }
}
