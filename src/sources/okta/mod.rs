//! Okta as a source: the users and groups of one application, and the members of its groups.
//!
//! Okta has no feed of changes. Every cycle lists the application's users and groups in full, which is
//! authoritative for assignments, profiles and statuses; members are read only where a group's
//! `lastMembershipUpdated`, the System Log or the time of the day asks for it.
//!
//! Who is assigned is known by the application's users alone. Where the scope also chooses people by group
//! (`OktaSettings::with_people_of`), the read of its members shows those whole who are not among them. As a profile or
//! a status moves no time stamp of the group, what changes of these people is seen when the group is read again: when
//! its members change, when the application's users do, when the log tells of it, else within `member_reread` (a day).
//!
//! | read | requests | proves |
//! |---|---|---|
//! | `app` | `GET /apps/{id}`: stops the cycle unless the application is active | - |
//! | `log` | `GET /logs`: what to read again; what was deleted | removal events |
//! | `assignments` | `GET /apps/{id}/users?expand=user`, then `GET /apps/{id}/groups?expand=group` | assignments, in full |
//! | `push` | `GET /apps/{id}/group-push/mappings`, where the settings say so; `pushed:<n>` names their groups | pushed groups, in full |
//! | `groups` | the groups that the settings pick | - |
//! | `members:<group>` | `GET /groups/{id}/users` | the members of this group, in full |
//! | `lost` | groups known before that nothing showed: `GET /groups/{id}` | that they are missing |

mod advice;
mod alone;
mod assignments;
mod bookmark;
mod bucket;
mod check;
mod due;
mod events;
mod explain;
mod host;
mod links;
mod listed;
mod log;
mod lost;
mod mark;
mod members;
mod pace;
mod pages;
mod patience;
mod picks;
mod policy;
mod push;
mod records;
mod refusal;
mod second;
mod settings;
mod sight;
mod sign_in;
mod sizes;
mod talk;
mod wire;
mod witness;

pub use bucket::Share;
pub use pace::Allowances;
pub use policy::StatusPolicy;
pub use policy::Treatment;
pub use settings::OktaSettings;
pub use settings::OktaSettingsError;
pub use settings::PageSizes;
pub use sign_in::ServiceApp;
pub use sign_in::SignIn;

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use url::Url;

use bookmark::Bookmark;
use bookmark::Step;
use due::Plan;
use mark::ASSIGNMENTS;
use mark::LOG;
use mark::PUSH;
use talk::Talk;

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

/// One application of one org.
pub struct OktaSource {
    settings: OktaSettings,
    talk: Talk,
    /// What the running cycle knew when it began.
    plan: Mutex<Plan>,
}

impl OktaSource {
    /// Reads no network.
    ///
    /// # Errors
    /// `Refused` where the settings cannot be used (certificates), `Unavailable` where this host has none.
    pub fn new(settings: OktaSettings) -> Result<OktaSource, SourceError> {
        let talk = Talk::new(&settings).map_err(refusal::silence)?;
        let plan = plan(&settings, &Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH);
        Ok(OktaSource { settings, talk, plan: Mutex::new(plan) })
    }

    /// A poisoned lock only means that somebody panicked elsewhere; the plan is whole.
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An address below the application.
    fn below_app(&self, rest: &[&str], query: &[(&str, &str)]) -> Url {
        let segments = [&["apps", self.settings.app().0.as_str()], rest].concat();
        self.talk.address(&segments, query)
    }

    fn first_users(&self) -> Url {
        let limit = self.settings.page_sizes().app_users.to_string();
        self.below_app(&["users"], &[("limit", &limit), ("expand", "user")])
    }

    fn first_groups(&self) -> Url {
        let limit = self.settings.page_sizes().app_groups.to_string();
        self.below_app(&["groups"], &[("limit", &limit), ("expand", "group")])
    }

    fn first_members(&self, group: &str) -> Url {
        let limit = self.settings.page_sizes().members.to_string();
        self.talk.address(&["groups", group, "users"], &[("limit", &limit)])
    }
}

fn plan(settings: &OktaSettings, watermarks: &Watermarks, reading: Reading, now: Timestamp) -> Plan {
    Plan::new(watermarks, reading, now, settings.overlap, settings.member_reread)
}

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}

impl Source for OktaSource {
    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::Okta
    }

    fn identity(&self) -> Option<String> {
        Some(format!("okta {} app {}", host(self.settings.host()), self.settings.app()))
    }

    /// `app` comes first: what it refuses, no list is asked for.
    fn reads(&self, watermarks: &Watermarks, reading: Reading, now: Timestamp) -> Vec<Read> {
        self.talk.begin();
        *self.plan() = plan(&self.settings, watermarks, reading, now);
        let begin = |name: &str, step, url: Url| Read {
            name: name.to_owned(),
            cursor: Bookmark::new(step, &url).cursor(),
        };
        let mut reads = vec![begin("app", Step::App, self.below_app(&[], &[]))];
        if self.settings.system_log {
            let url = self.log_begins(mark::remembered(watermarks, LOG), now);
            reads.push(begin(LOG, Step::Log, url));
        }
        reads.push(begin(ASSIGNMENTS, Step::AppUsers, self.first_users()));
        if self.settings.push_mappings {
            reads.push(begin(PUSH, Step::Push, self.first_mappings()));
        }
        reads.extend(self.pick(0).map(|url| begin("groups", Step::Pick(0), url)));
        if !self.settings.push_mappings {
            reads.push(self.lost_read());
        }
        reads
    }

    fn page<'a>(&'a self, read: &'a Read) -> BoxFuture<'a, Result<Page, SourceError>> {
        Box::pin(self.turn(read))
    }

    fn witness<'a>(
        &'a self,
        questions: &'a [WitnessQuestion],
    ) -> BoxFuture<'a, Result<Vec<WitnessAnswer>, SourceError>> {
        Box::pin(self.testify(questions))
    }

    fn heard(&self, question: &WitnessQuestion) -> HeardOf {
        self.heard_of(question)
    }

    fn person<'a>(&'a self, sought: &'a Sought) -> BoxFuture<'a, Result<Alone, SourceError>> {
        Box::pin(self.alone(sought))
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.look())
    }

    /// The lists are complete each time, and members are read again by themselves.
    fn verifies(&self) -> bool {
        false
    }

    fn requests(&self) -> u64 {
        self.talk.requests()
    }

    fn time(&self) -> Option<Timestamp> {
        self.talk.client().service_time()
    }
}
