//! A source bent by a test: pages that fail, and witnesses that say something else.

use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rosterd::model::Container;
use rosterd::model::Finding;
use rosterd::model::Page;
use rosterd::model::Read;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::Vocabulary;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::file::FileSource;

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Bend {
    #[default]
    Nothing,
    /// A defect: the next page panics, and no later one.
    PanicsOnce,
    /// The records of the first page arrive, then the source is down.
    BreaksInTheMiddle,
    /// Assignments arrive as an empty list, with every sign of completeness.
    NoAssignments,
    /// The witness says that everybody is still there.
    WitnessDisagrees,
    /// The witness says that nobody is there, the canary included.
    WitnessLies,
    /// The witness may not be asked.
    WitnessForbidden,
}

pub struct BentSource {
    inner: FileSource,
    pub bend: Mutex<Bend>,
    asked: Mutex<Vec<WitnessQuestion>>,
}

impl BentSource {
    pub fn new(inner: FileSource) -> BentSource {
        BentSource { inner, bend: Mutex::default(), asked: Mutex::default() }
    }

    /// What the witness was asked since this was asked last, canaries included.
    pub fn asked(&self) -> Vec<WitnessQuestion> {
        std::mem::take(&mut *self.asked.lock().expect("no test panics while it holds this"))
    }

    fn bend(&self) -> Bend {
        self.bend.lock().expect("no test panics while it holds this").clone()
    }
}

impl Source for BentSource {
    fn vocabulary(&self) -> Vocabulary {
        self.inner.vocabulary()
    }

    fn identity(&self) -> Option<String> {
        self.inner.identity()
    }

    fn reads(&self, watermarks: &Watermarks, reading: Reading, now: Timestamp) -> Vec<Read> {
        self.inner.reads(watermarks, reading, now)
    }

    fn page<'a>(&'a self, read: &'a Read) -> BoxFuture<'a, Result<Page, SourceError>> {
        async move {
            let mut page = self.inner.page(read).await?;
            match self.bend() {
                Bend::PanicsOnce => {
                    *self.bend.lock().expect("free") = Bend::Nothing;
                    panic!("a defect");
                }
                Bend::BreaksInTheMiddle if page.records.len() < 2 => {
                    Err(SourceError::Unavailable { what: "the directory is down".to_owned() })
                }
                Bend::BreaksInTheMiddle => {
                    page.records.truncate(1);
                    page.next = rosterd::model::Next::Page(rosterd::model::Cursor("broken".to_owned()));
                    Ok(page)
                }
                Bend::NoAssignments => {
                    page.records.retain(|record| {
                        !matches!(record, Record::Edge { container: Container::App(_), .. })
                    });
                    Ok(page)
                }
                _ => Ok(page),
            }
        }
        .boxed()
    }

    fn witness<'a>(
        &'a self,
        questions: &'a [WitnessQuestion],
    ) -> BoxFuture<'a, Result<Vec<WitnessAnswer>, SourceError>> {
        async move {
            let say = |answer: WitnessAnswer| Ok(vec![answer; questions.len()]);
            self.asked.lock().expect("free").extend_from_slice(questions);
            match self.bend() {
                Bend::WitnessDisagrees | Bend::NoAssignments => say(WitnessAnswer::Present),
                Bend::WitnessLies => say(WitnessAnswer::Absent("404".into())),
                Bend::WitnessForbidden => {
                    say(WitnessAnswer::CannotSay("the permission Directory.Read.All is missing".to_owned()))
                }
                _ => self.inner.witness(questions).await,
            }
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.inner.check()
    }

    fn requests(&self) -> u64 {
        self.inner.requests()
    }
}
