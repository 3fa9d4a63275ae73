//! Microsoft Graph (Entra ID): assigned principals in full, users and groups by delta, through one sign-in.
//!
//! | read | first, or in full | later |
//! |---|---|---|
//! | `assignments:<application id>` | `appRoleAssignedTo`, every page | the same: there is no feed for it |
//! | `assignments:filter:…` | the list that a `$filter` selects, every page | the same |
//! | `users` | the delta link of now, the recycle bin, the list | the stored delta link, changed users read whole in batches |
//! | `groups` | `groups/delta` from nothing: groups and members | the stored delta link |
//! | `groups:<number>` | the same for at most fifty groups | the stored delta link |
//! | `members:<group id>` | the members of one group: it came back, or the tenant has no feeds | - |
//!
//! What the scope names by other means than ids is known only when the assignments and the filters have been read;
//! the streams of groups begin then (`streams`). The delta feed of users says only who changed: it leaves out
//! attributes that were never set, so "absent" and "null" cannot be told apart in it. A role of one principal may
//! come on several pages; the roles met so far are kept for the time of a read, the default access (which is no
//! role) is not, so a tenant that uses no roles costs no memory.

mod advice;
mod alone;
mod assignments;
mod batch;
mod check;
mod domain;
mod door;
mod expiry;
mod filter;
mod group_rest;
mod groups;
mod lists;
mod members;
mod people;
mod place;
mod round;
mod run;
mod select;
mod session;
mod settings;
mod sign_in;
mod streams;
mod trouble;
mod units;
mod users;
mod wire;
mod witness;

pub use expiry::Expiry;
pub use settings::GraphSettings;
pub use settings::GraphSettingsError;
pub use settings::GroupsNeed;
pub use sign_in::AssertionForm;
pub use sign_in::Cloud;
pub use sign_in::SignIn;
pub use units::TenantSize;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::Source;
use super::SourceError;
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

use door::Graph;
use round::Rounds;
use session::Sessions;

const USERS: &str = "users";
const ASSIGNMENTS: &str = "assignments:";
const MEMBERS: &str = "members:";

/// One tenant, and the lists whose people count.
pub struct GraphSource {
    graph: Graph,
    rounds: Rounds,
    sessions: Sessions,
    next_number: AtomicU64,
    /// What the first page of a cycle says about the credential's end.
    expiry_note: Mutex<Option<String>>,
}

impl GraphSource {
    /// Reads no network. `Refused` names a setting and its cure.
    pub fn new(settings: GraphSettings) -> Result<GraphSource, SourceError> {
        let graph = Graph::new(settings)?;
        Ok(GraphSource {
            graph,
            rounds: Rounds::default(),
            sessions: Sessions::default(),
            next_number: AtomicU64::new(1),
            expiry_note: Mutex::default(),
        })
    }

    /// Resource units that Graph charged so far (graph.md section 7).
    pub fn units(&self) -> u64 {
        self.graph.client.units()
    }

    /// When the credential ends, where that is known.
    pub fn expiry(&self, now: Timestamp) -> Option<Expiry> {
        Expiry::of(&self.graph.settings, now)
    }

    fn note_expiry(&self, now: Timestamp) {
        let note = self.expiry(now).and_then(|expiry| expiry.note());
        *self.expiry_note.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    fn take_expiry_note(&self) -> Option<String> {
        self.expiry_note.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }
}

impl Source for GraphSource {
    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::Graph
    }

    fn identity(&self) -> Option<String> {
        let settings = &self.graph.settings;
        let mut text = format!("graph tenant {}", settings.tenant);
        if let Some(app) = settings.apps().first() {
            text.push_str(&format!(" app {app}"));
        }
        Some(text.to_lowercase())
    }

    fn reads(&self, watermarks: &Watermarks, reading: Reading, now: Timestamp) -> Vec<Read> {
        self.note_expiry(now);
        self.graph.ledger.clear();
        self.begin(watermarks, reading)
    }

    fn page<'a>(&'a self, read: &'a Read) -> BoxFuture<'a, Result<Page, SourceError>> {
        Box::pin(self.turn(read))
    }

    fn witness<'a>(
        &'a self,
        questions: &'a [WitnessQuestion],
    ) -> BoxFuture<'a, Result<Vec<WitnessAnswer>, SourceError>> {
        Box::pin(witness::answers(&self.graph, questions))
    }

    fn heard(&self, question: &WitnessQuestion) -> HeardOf {
        HeardOf { request_ids: self.graph.ledger.about(&question.about().0), event: None }
    }

    fn person<'a>(&'a self, sought: &'a Sought) -> BoxFuture<'a, Result<Alone, SourceError>> {
        Box::pin(alone::person(&self.graph, sought))
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(check::findings(&self.graph, Timestamp::now()))
    }

    fn default_domain(&self) -> BoxFuture<'_, Result<Option<String>, SourceError>> {
        Box::pin(async { domain::default_domain(&self.graph).await.map(Some) })
    }

    fn requests(&self) -> u64 {
        self.graph.client.requests()
    }

    fn time(&self) -> Option<Timestamp> {
        self.graph.client.service_time()
    }
}
