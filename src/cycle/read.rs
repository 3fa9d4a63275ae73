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
use crate::store::JobId;
use crate::store::Staging;
use crate::store::Store;

/// Notes kept of one cycle's reads: enough to see what is wrong, not a second log.
const NOTES: usize = 50;

/// Follows every read to its end. An error leaves nothing behind: the staging area goes with it.
pub(super) async fn read(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
) -> Result<(Staging, Vec<String>), CycleError> {
    let watermarks = store.watermarks(job).await.map_err(on.store())?;
    let staging = store.stage(job).await.map_err(on.store())?;
    let mut reader = Reader { on, staging, watermarks, notes: Vec::new() };
    let mut open: VecDeque<Read> = reader.begin(on.how.reading).into();
    let mut begun = BTreeSet::new();
    while let Some(read) = open.pop_front() {
        if begun.insert(read.name.clone()) {
            open.extend(reader.follow(read).await?);
        }
    }
    Ok((reader.staging, reader.notes))
}

struct Reader<'a> {
    on: &'a Run<'a>,
    staging: Staging,
    watermarks: Watermarks,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn begin(&self, reading: Reading) -> Vec<Read> {
        self.on.job.source.reads(&self.watermarks, reading, self.on.how.now)
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
                let again = self.begin(self.on.how.reading).into_iter().find(|read| read.name == name);
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
