//! Microsoft Graph (Entra ID): assigned principals in full, users and groups by delta, through one sign-in.
//!
//! | read | first, or in full | later |
//! |---|---|---|
//! | `assignments:<application id>` | `appRoleAssignedTo`, every page | the same: there is no feed for it |
//! | `users` | the delta link of now, then the list | the stored delta link, changed users read whole in batches |
//! | `groups` | `groups/delta` from nothing: groups and members | the stored delta link |
//!
//! The delta feed of users says only who changed: it leaves out attributes that were never set, so "absent" and
//! "null" cannot be told apart in it. A role of one principal may come on several pages; the roles met so far
//! are kept for the time of a read, the default access (which is no role) is not, so a tenant that uses no
//! roles costs no memory.

mod advice;
mod assignments;
mod batch;
mod check;
mod door;
mod expiry;
mod groups;
mod place;
mod settings;
mod sign_in;
mod trouble;
mod units;
mod users;
mod wire;
mod witness;

pub use expiry::Expiry;
pub use settings::GraphSettings;
pub use settings::GraphSettingsError;
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
use crate::model::Finding;
use crate::model::Next;
use crate::model::Page;
use crate::model::Read;
use crate::model::Reading;
use crate::model::SourceId;
use crate::model::Vocabulary;
use crate::model::Watermarks;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;

use door::Graph;
use place::Place;
use place::Round;
use place::Rounds;
use place::Watermark;
use trouble::Trouble;

const USERS: &str = "users";
const GROUPS: &str = "groups";
const ASSIGNMENTS: &str = "assignments:";

/// How often a read may begin again within a cycle because its page token has run out.
const RESTARTS_MAX: u8 = 1;

/// One tenant, and the applications whose assignments count.
pub struct GraphSource {
    graph: Graph,
    rounds: Rounds,
    next_round: AtomicU64,
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
            next_round: AtomicU64::new(1),
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

    fn read(&self, name: String, from: Option<String>) -> Read {
        let round = self.next_round.fetch_add(1, Ordering::Relaxed);
        Read { name, cursor: Place { round, from, ..Place::default() }.cursor() }
    }

    /// A watermark counts as long as it was made for the attributes and the service that are set now.
    fn usable(&self, watermark: Option<&String>, select: &str) -> Option<String> {
        let watermark = Watermark::decode(watermark?)?;
        let ours = watermark.select == select && self.graph.client.follow(&watermark.link).is_ok();
        ours.then_some(watermark.link)
    }

    async fn turn(&self, read: &Read) -> Result<Page, SourceError> {
        let place = Place::decode(&read.cursor)?;
        let mut round = self.rounds.take(&place)?;
        let turned = self.dispatch(&read.name, &place, &mut round).await;
        match turned {
            Ok(mut page) => {
                let note = self.expiry_note.lock().unwrap_or_else(PoisonError::into_inner).take();
                page.notes.extend(note);
                if let Next::Page(_) = &page.next {
                    self.rounds.keep(place.round, round);
                }
                Ok(page)
            }
            Err(Trouble::PageExpired) => restart(read, &place),
            Err(Trouble::Expired) if place.from.is_none() => restart(read, &place),
            Err(Trouble::Expired) => Err(SourceError::WatermarkExpired { read: read.name.clone() }),
            Err(Trouble::Missing { what }) => Err(SourceError::Malformed { place: read.name.clone(), what }),
            Err(Trouble::Source(error)) => Err(error),
        }
    }

    async fn dispatch(&self, name: &str, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
        match (name, name.strip_prefix(ASSIGNMENTS)) {
            (USERS, _) => users::page(&self.graph, place, round).await,
            (GROUPS, _) => groups::page(&self.graph, place, round).await,
            (_, Some(app)) => {
                let app = SourceId(app.to_owned());
                assignments::page(&self.graph, &app, place, round).await
            }
            _ => {
                let what = "this source has no such read".to_owned();
                Err(Trouble::Source(SourceError::Malformed { place: name.to_owned(), what }))
            }
        }
    }
}

/// Page tokens run out within minutes (graph.md section 4): the read begins again, once. What it staged so far
/// is said again.
fn restart(read: &Read, place: &Place) -> Result<Page, SourceError> {
    if place.again >= RESTARTS_MAX {
        let what = format!("the pages of `{}` expired twice while they were read", read.name);
        return Err(SourceError::Unavailable { what });
    }
    let place =
        Place { round: place.round, again: place.again + 1, from: place.from.clone(), ..Place::default() };
    let notes = vec![format!("the pages of `{}` expired while they were read; it begins again", read.name)];
    Ok(Page { records: Vec::new(), next: Next::Page(place.cursor()), further: Vec::new(), notes })
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

    /// Users before groups, other than graph.md 6.6 R7: the memberships that are read of a changed user may lag,
    /// and what the groups' feed says has the last word.
    fn reads(&self, watermarks: &Watermarks, reading: Reading, now: Timestamp) -> Vec<Read> {
        self.note_expiry(now);
        let from = |name: &str, select: &str| match reading {
            Reading::Full => None,
            Reading::Incremental => self.usable(watermarks.get(name), select),
        };
        let mut reads: Vec<Read> = Vec::new();
        for app in self.graph.settings.apps() {
            reads.push(self.read(format!("{ASSIGNMENTS}{app}"), None));
        }
        reads.push(self.read(USERS.to_owned(), from(USERS, &self.graph.user_select)));
        reads.push(self.read(GROUPS.to_owned(), from(GROUPS, groups::SELECT)));
        reads
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

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(check::findings(&self.graph))
    }

    fn requests(&self) -> u64 {
        self.graph.client.requests()
    }
}
