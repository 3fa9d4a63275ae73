//! Shelf of directories that are read. The contract: reads in, pages out; the loop, the staging and the stop
//! signal belong to the cycle.
//!
//! | source | room | proves absence by |
//! |---|---|---|
//! | Microsoft Graph | `graph` | full lists, delta events |
//! | Okta | `okta` | full lists |
//! | a JSON file | `file` | one snapshot, read whole, with its own counts |

pub mod file;
pub mod graph;
mod ledger;
pub mod okta;
mod whole;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::model::Alone;
use crate::model::Finding;
use crate::model::HeardOf;
use crate::model::Page;
use crate::model::Read;
use crate::model::Reading;
use crate::model::Sought;
use crate::model::Vocabulary;
use crate::model::Watermarks;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;

/// A directory that is read. A connector never writes to it.
pub trait Source: Send + Sync {
    fn vocabulary(&self) -> Vocabulary;

    /// Which directory and which application this is, in a form that is pinned when the first cycle has read it
    /// (P15), such as `graph tenant 1111-… app 2222-…`. `None` while a source that says it itself cannot be read.
    fn identity(&self) -> Option<String>;

    /// The reads that a cycle begins with. A watermark that is missing, or `Reading::Full`, starts its read over.
    fn reads(&self, watermarks: &Watermarks, reading: Reading, now: Timestamp) -> Vec<Read>;

    /// One page of one read.
    fn page<'a>(&'a self, read: &'a Read) -> BoxFuture<'a, Result<Page, SourceError>>;

    /// Answers in the order of the questions (P2).
    fn witness<'a>(
        &'a self,
        questions: &'a [WitnessQuestion],
    ) -> BoxFuture<'a, Result<Vec<WitnessAnswer>, SourceError>>;

    /// What proves the last answer to this question, in this cycle: ids of requests, and the event of the source's own
    /// log. Nothing where the service tells none.
    fn heard(&self, question: &WitnessQuestion) -> HeardOf {
        let _ = question;
        HeardOf::default()
    }

    /// One person alone, with the groups and lists that they are directly in, by as few requests as it takes. It is no
    /// read of a cycle: no watermark comes of it, and nobody else is missing for it. A source that cannot be asked
    /// for one is read whole, and what is not of this person is left out.
    fn person<'a>(&'a self, sought: &'a Sought) -> BoxFuture<'a, Result<Alone, SourceError>> {
        Box::pin(whole::person(self, sought))
    }

    /// Sign-in, permissions and facts, for `rosterd check`. Changes nothing.
    fn check(&self) -> BoxFuture<'_, Vec<Finding>>;

    /// The domain that the directory itself calls its default one; `None` where there is no such thing. Asked once a
    /// cycle, and only where a mapping needs it.
    fn default_domain(&self) -> BoxFuture<'_, Result<Option<String>, SourceError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Whether a full read can show what a read of changes has missed: then one is made from time to time, after the
    /// changes, and what it finds is counted. A source that reads everything each time, or verifies by itself, says
    /// no.
    fn verifies(&self) -> bool {
        true
    }

    /// Requests sent so far, those that were repeated included.
    fn requests(&self) -> u64;

    /// What time it is there, by its newest answer; `None` where it shows none, or none that is new (P17).
    fn time(&self) -> Option<Timestamp> {
        None
    }
}

/// Why a source could not be read. What the caller does differs by variant.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The source no longer knows our watermark; the named read starts over, and nobody is removed for it.
    #[error("the watermark of `{read}` has expired")]
    WatermarkExpired { read: String },
    /// Somebody has to change something: credentials, permissions, the application's state, a setting.
    #[error("{what}; {cure}")]
    Refused { what: String, cure: String },
    /// Down, throttled or out of retries: the next cycle tries again.
    #[error("{what}")]
    Unavailable { what: String },
    /// An answer that cannot be read: `place` names the request, without values.
    #[error("{place}: {what}")]
    Malformed { place: String, what: String },
}
