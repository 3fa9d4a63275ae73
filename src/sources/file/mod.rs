//! A directory as one JSON file: an HR export, an air-gapped org, or the double of every test (docs/file-source.md).

mod form;
mod snapshot;
mod witness;

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use self::snapshot::Snapshot;
use super::Source;
use super::SourceError;
use crate::model::Cursor;
use crate::model::Finding;
use crate::model::Next;
use crate::model::Page;
use crate::model::Read;
use crate::model::Reading;
use crate::model::Vocabulary;
use crate::model::Watermarks;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;

/// Records in one page: small enough to stage while the next is cut, large enough to be few.
const PAGE_RECORDS: usize = 1000;

/// The largest file: about a million people with a few attributes. Text and records are held in memory for one cycle.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A directory that is read from a JSON file, anew at the start of every cycle.
pub struct FileSource {
    place: Place,
    /// The snapshot of the running cycle; the witness is asked of it too.
    held: Mutex<Option<Arc<Snapshot>>>,
    loads: AtomicU64,
}

#[derive(Clone)]
enum Place {
    Path(PathBuf),
    Memory { name: String, text: TextCell },
}

/// A directory file that lies in memory; clones share the text, so it can change between two cycles.
#[derive(Clone, Default)]
pub struct TextCell(Arc<Mutex<String>>);

impl TextCell {
    pub fn new(text: impl Into<String>) -> TextCell {
        TextCell(Arc::new(Mutex::new(text.into())))
    }

    /// What the next cycle reads.
    pub fn set(&self, text: impl Into<String>) {
        *locked(&self.0) = text.into();
    }

    fn text(&self) -> String {
        locked(&self.0).clone()
    }
}

impl FileSource {
    pub fn new(path: impl Into<PathBuf>) -> FileSource {
        FileSource::at(Place::Path(path.into()))
    }

    /// `name` stands for the file's path in messages.
    pub fn from_text(name: impl Into<String>, text: TextCell) -> FileSource {
        FileSource::at(Place::Memory { name: name.into(), text })
    }

    fn at(place: Place) -> FileSource {
        FileSource { place, held: Mutex::new(None), loads: AtomicU64::new(0) }
    }

    async fn load(&self) -> Result<Arc<Snapshot>, SourceError> {
        let place = self.place.clone();
        self.loads.fetch_add(1, Ordering::Relaxed);
        let parse = move || Snapshot::parse(&place.name(), &place.text()?);
        let snapshot = tokio::task::spawn_blocking(parse).await.map_err(|_| SourceError::Unavailable {
            what: format!("{}: reading was broken off", self.place.name()),
        })??;
        let snapshot = Arc::new(snapshot);
        *locked(&self.held) = Some(snapshot.clone());
        Ok(snapshot)
    }

    fn held(&self) -> Option<Arc<Snapshot>> {
        locked(&self.held).clone()
    }

    async fn cut(&self, read: &Read) -> Result<Page, SourceError> {
        let offset: usize = read.cursor.0.parse().map_err(|_| SourceError::Malformed {
            place: self.place.name(),
            what: "the cursor is not one of ours".to_owned(),
        })?;
        let held = if offset == 0 { None } else { self.held() };
        let snapshot = match held {
            Some(snapshot) => snapshot,
            // The first page reads the file; a later one without it means that another process began.
            None if offset == 0 => self.load().await?,
            None => {
                return Err(SourceError::Unavailable {
                    what: format!("{}: the snapshot of this cycle is no longer held", self.place.name()),
                });
            }
        };
        Ok(page(&snapshot, offset))
    }

    async fn look(&self) -> Vec<Finding> {
        match self.load().await {
            Ok(snapshot) => witness::findings(&self.place.name(), &snapshot),
            Err(error) => vec![witness::unreadable(&error)],
        }
    }
}

fn page(snapshot: &Snapshot, offset: usize) -> Page {
    let end = (offset + PAGE_RECORDS).min(snapshot.records.len());
    let next = if end < snapshot.records.len() {
        Next::Page(Cursor(end.to_string()))
    } else {
        Next::End { covered: snapshot.covered.clone(), watermark: None }
    };
    let notes = if offset == 0 { snapshot.notes.clone() } else { Vec::new() };
    let records = snapshot.records.get(offset..end).unwrap_or_default().to_vec();
    Page { records, next, further: Vec::new(), notes }
}

impl Place {
    fn name(&self) -> String {
        match self {
            Place::Path(path) => path.display().to_string(),
            Place::Memory { name, .. } => name.clone(),
        }
    }

    fn text(&self) -> Result<String, SourceError> {
        let path = match self {
            Place::Path(path) => path,
            Place::Memory { text, .. } => return Ok(text.text()),
        };
        let refused = |cause: &str, cure: &str| SourceError::Refused {
            what: format!("{} {cause}", path.display()),
            cure: cure.to_owned(),
        };
        let unreadable = |error: &std::io::Error| {
            refused(&format!("cannot be read ({})", error.kind()), "check the path and who may read it")
        };
        // A pipe would be waited for without an end.
        if !std::fs::metadata(path).map_err(|error| unreadable(&error))?.is_file() {
            return Err(refused("is not a file", "name the JSON file itself as path"));
        }
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| SourceError::Unavailable {
            what: format!("{} cannot be read ({})", path.display(), error.kind()),
        })?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(refused("is larger than 512 MiB", "split the directory, or export fewer attributes"));
        }
        String::from_utf8(bytes).map_err(|error| SourceError::Malformed {
            place: path.display().to_string(),
            what: format!(
                "byte {} is not UTF-8; save the file as UTF-8",
                error.utf8_error().valid_up_to() + 1
            ),
        })
    }
}

/// A poisoned lock only means that somebody panicked elsewhere; the text or the snapshot is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Source for FileSource {
    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::File
    }

    /// `file <directory>`, as the file calls itself now, so that a file put in the place of another is noticed
    /// before it is read (P15). While the file cannot be read: as it was called when it last could.
    fn identity(&self) -> Option<String> {
        let now = self.place.text().ok().and_then(|text| form::directory(&text));
        let directory = now.or_else(|| self.held().map(|snapshot| snapshot.directory.clone()));
        directory.map(|directory| format!("file {directory}"))
    }

    fn reads(&self, _: &Watermarks, _: Reading, _: Timestamp) -> Vec<Read> {
        vec![Read { name: "snapshot".to_owned(), cursor: Cursor("0".to_owned()) }]
    }

    fn page<'a>(&'a self, read: &'a Read) -> BoxFuture<'a, Result<Page, SourceError>> {
        Box::pin(self.cut(read))
    }

    fn witness<'a>(
        &'a self,
        questions: &'a [WitnessQuestion],
    ) -> BoxFuture<'a, Result<Vec<WitnessAnswer>, SourceError>> {
        Box::pin(async move {
            let snapshot = match self.held() {
                Some(snapshot) => snapshot,
                None => self.load().await?,
            };
            Ok(questions.iter().map(|question| witness::answer(&snapshot, question)).collect())
        })
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.look())
    }

    /// How often the file was read.
    fn verifies(&self) -> bool {
        false
    }

    fn requests(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
