//! Reading: pages from the source into the staging area. Nothing of ours has changed when it ends.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::CycleError;
use super::Progress;
use super::Run;
use crate::model::Cursor;
use crate::model::Next;
use crate::model::Read;
use crate::model::Reading;
use crate::model::Watermarks;
use crate::sources::SourceError;
use crate::store::CycleId;
use crate::store::JobState;
use crate::store::Promoted;
use crate::store::Staging;
use crate::store::Store;
use crate::store::crash_point;

/// Notes kept of one cycle's reads: enough to see what is wrong, not a second log.
const NOTES: usize = 50;

/// What a cycle has read and made the new `seen`.
pub(super) struct Outcome {
    pub(super) promoted: Promoted,
    /// What a full reading found behind the changes; `None` where there was none.
    pub(super) repaired: Option<u64>,
    pub(super) notes: Vec<String>,
}

/// Reads, and makes what was read the new `seen`. Where a verification is due, everything is read a second time, in
/// full: what that finds, the changes had missed.
pub(super) async fn read(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    cycle: CycleId,
    rules_digest: &str,
) -> Result<Outcome, CycleError> {
    let watermarks = store.watermarks(state.id).await.map_err(on.store())?;
    let full = on.how.reading == Reading::Full || watermarks.is_empty();
    let staging = store.stage(state.id).await.map_err(on.store())?;
    let read = follow_all(on, staging, watermarks, on.how.reading).await?;
    on.identified(store, state).await?;
    on.pin(store, state).await?;
    crash_point("before_promotion");
    let promoted = read.staging.promote(cycle, rules_digest.to_owned()).await.map_err(on.store())?;
    crash_point("after_promotion");
    let mut outcome = Outcome { promoted, repaired: None, notes: read.notes };
    if full {
        note_verified(on, store, state).await?;
    } else if on.job.source.verifies() && (on.how.verify || is_due(on, state)) {
        verify(on, store, state, cycle, rules_digest, &mut outcome).await?;
    }
    Ok(outcome)
}

fn is_due(on: &Run<'_>, state: &JobState) -> bool {
    let Some(every) = on.job.verify else { return false };
    let Some(last) = state.verified_second else { return true };
    let since = on.how.now.as_second().saturating_sub(last);
    u64::try_from(since).is_ok_and(|since| since >= every.as_secs())
}

async fn note_verified(on: &Run<'_>, store: &Store, state: &JobState) -> Result<(), CycleError> {
    store.note_verified(state.id, on.how.now.as_second()).await.map_err(on.store())
}

/// A second reading that fails takes nothing back: the changes stand, and the next cycle verifies.
async fn verify(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    cycle: CycleId,
    rules_digest: &str,
    outcome: &mut Outcome,
) -> Result<(), CycleError> {
    let staging = store.stage(state.id).await.map_err(on.store())?;
    staging.settle_changes().await.map_err(on.store())?;
    let read = match follow_all(on, staging, Watermarks::new(), Reading::Full).await {
        Ok(read) => read,
        Err(CycleError::Source { source, .. }) => {
            let why = super::chain(&source);
            outcome
                .notes
                .push(format!("not everything could be read anew; the next cycle tries again: {why}"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    on.identified(store, state).await?;
    let found = read.staging.promote(cycle, rules_digest.to_owned()).await.map_err(on.store())?;
    outcome.repaired = Some(found.objects + found.edges + found.missing);
    outcome.promoted += found;
    for note in read.notes {
        if !outcome.notes.contains(&note) {
            outcome.notes.push(note);
        }
    }
    note_verified(on, store, state).await
}

/// Follows every read to its end. An error leaves nothing behind: the staging area goes with it.
async fn follow_all<'a>(
    on: &'a Run<'a>,
    staging: Staging,
    watermarks: Watermarks,
    reading: Reading,
) -> Result<Reader<'a>, CycleError> {
    let mut reader = Reader { on, staging, watermarks, reading, notes: Vec::new() };
    let mut open: VecDeque<Read> = reader.begin().into();
    let mut begun = BTreeSet::new();
    while let Some(read) = open.pop_front() {
        if begun.insert(read.name.clone()) {
            open.extend(reader.follow(read).await?);
        }
    }
    Ok(reader)
}

struct Reader<'a> {
    on: &'a Run<'a>,
    staging: Staging,
    watermarks: Watermarks,
    reading: Reading,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn begin(&self) -> Vec<Read> {
        self.on.job.source.reads(&self.watermarks, self.reading, self.on.how.now)
    }

    /// One read to its end. A watermark that the source no longer knows starts it over, once; nobody is removed
    /// for it.
    async fn follow(&mut self, read: Read) -> Result<Vec<Read>, CycleError> {
        let name = read.name.clone();
        match self.pages(read).await {
            Err(CycleError::Source { source: SourceError::WatermarkExpired { .. }, .. })
                if self.watermarks.contains_key(&name) =>
            {
                self.watermarks.remove(&name);
                self.note(format!("the watermark of `{name}` had expired; it was read from the start"));
                let again = self.begin().into_iter().find(|read| read.name == name);
                match again {
                    Some(read) => self.pages(read).await,
                    None => Ok(Vec::new()),
                }
            }
            followed => followed,
        }
    }

    async fn pages(&mut self, mut read: Read) -> Result<Vec<Read>, CycleError> {
        let mut further = Vec::new();
        let mut visited: BTreeSet<Cursor> = BTreeSet::new();
        let mut records = 0;
        loop {
            self.on.stopped()?;
            if !visited.insert(read.cursor.clone()) {
                let what = format!(
                    "the pages of `{}` turn in a circle; nothing was taken from this read",
                    read.name
                );
                return Err(self.on.source()(SourceError::Unavailable { what }));
            }
            let page = self.on.until_stopped(self.on.job.source.page(&read)).await?;
            let page = page.map_err(self.on.source())?;
            crash_point("page");
            records += page.records.len() as u64;
            (self.on.how.watch)(Progress::Reading { read: read.name.clone(), records });
            self.staging.record(page.records).await.map_err(self.on.store())?;
            further.extend(page.further);
            page.notes.into_iter().for_each(|note| self.note(note));
            match page.next {
                Next::Page(cursor) => read.cursor = cursor,
                Next::End { covered, watermark } => {
                    let ended = self.staging.finish_read(&read.name, covered, watermark).await;
                    ended.map_err(self.on.store())?;
                    return Ok(further);
                }
            }
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
