//! One whole list of the target, in place of many lookups: for a first load, where everybody is looked for at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::Found;
use super::Lookup;
use super::RemoteTarget;
use super::TargetError;
use super::list::Listed;
use super::list::Listing;
use super::list::Question;
use super::read::has_value;
use crate::scim::Kind;
use crate::scim::fold;
use crate::scim::profiles::Paging;
use crate::scim::shown;

/// Everything of one kind that the target has.
#[derive(Debug)]
pub(super) struct Index {
    found: Vec<Found>,
    /// By path, then by folded value: where they stand.
    by: Mutex<BTreeMap<String, Arc<Places>>>,
}

type Places = BTreeMap<String, Vec<usize>>;

/// What was listed since the last write; `None` where a list was not worth it, or not to be trusted.
#[derive(Debug, Default)]
pub(super) struct Indexes(Mutex<BTreeMap<Kind, Option<Arc<Index>>>>);

impl Indexes {
    /// Nobody knows what is there after a write.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn get(&self, kind: Kind) -> Option<Option<Arc<Index>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).cloned()
    }

    fn keep(&self, kind: Kind, index: Option<Arc<Index>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, index);
    }
}

impl Index {
    fn new(found: Vec<Found>) -> Index {
        Index { found, by: Mutex::default() }
    }

    /// As the service would answer, under the attribute's own case rule.
    pub fn find(&self, lookup: &Lookup) -> Vec<Found> {
        let places = self.places(&lookup.path);
        let candidates = places.get(&fold(&lookup.value)).map(Vec::as_slice).unwrap_or_default();
        let candidates = candidates.iter().filter_map(|at| self.found.get(*at));
        candidates.filter(|found| has_value(found, lookup)).cloned().collect()
    }

    fn places(&self, path: &str) -> Arc<Places> {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let places = by.entry(path.to_owned()).or_insert_with(|| {
            let mut places = Places::new();
            for (at, found) in self.found.iter().enumerate() {
                if let Some(value) = shown(&found.body, [path]).text(path) {
                    places.entry(fold(value)).or_default().push(at);
                }
            }
            Arc::new(places)
        });
        Arc::clone(places)
    }
}

impl RemoteTarget {
    /// The whole list of each kind of which so many are looked for that it costs less.
    pub(super) async fn indexes(
        &self,
        lookups: &[Lookup],
    ) -> Result<BTreeMap<Kind, Arc<Index>>, TargetError> {
        let mut indexes = BTreeMap::new();
        for kind in [Kind::User, Kind::Group] {
            let asked = |lookup: &&Lookup| lookup.kind == kind && self.known.finds(kind, &lookup.path);
            let count = lookups.iter().filter(asked).count();
            let index = match self.indexes.get(kind) {
                Some(index) => index,
                None if count > 0 && count >= self.lookup_listing_from => {
                    let index = self.read_index(kind, Some(count)).await?;
                    self.indexes.keep(kind, index.clone());
                    index
                }
                None => None,
            };
            if let Some(index) = index {
                indexes.insert(kind, index);
            }
        }
        Ok(indexes)
    }

    /// The whole list of a kind, whatever it costs; `None` where it cannot be had or trusted.
    pub(super) async fn whole_list(&self, kind: Kind) -> Result<Option<Arc<Index>>, TargetError> {
        if let Some(Some(index)) = self.indexes.get(kind) {
            return Ok(Some(index));
        }
        let index = self.read_index(kind, None).await?;
        self.indexes.keep(kind, index.clone());
        Ok(index)
    }

    /// `instead`: how many requests it may cost at most.
    async fn read_index(
        &self,
        kind: Kind,
        instead: Option<usize>,
    ) -> Result<Option<Arc<Index>>, TargetError> {
        let profile = &self.known.profile;
        if !profile.listing_trusted || !profile.total_results_reliable {
            return Ok(None);
        }
        let most = instead.unwrap_or(usize::MAX);
        let too_much = |listing: &Listing| match listing.total {
            Some(total) => {
                let pages = (total as usize).div_ceil(profile.page());
                pages > most || total as usize > self.listing_max
            }
            None => profile.paging == Paging::Index,
        };
        let question = Question { kind, filter: None, value: "" };
        match self.read_list(question, too_much).await? {
            Listed::Read(Listing { found, total, whole: true })
                if total.is_some() || by_cursor(profile.paging) =>
            {
                Ok(Some(Arc::new(Index::new(found))))
            }
            Listed::Read(_) | Listed::Refused { .. } => Ok(None),
        }
    }
}

/// A list by cursor has an end of its own, with or without a total.
fn by_cursor(paging: Paging) -> bool {
    paging == Paging::Cursor
}
