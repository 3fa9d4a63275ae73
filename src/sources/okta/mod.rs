//! Okta as a source: the users and groups of one application, and the members of its groups.
//!
//! Okta has no feed of changes. Every cycle lists the application's users and groups in full, which is
//! authoritative for assignments, profiles and statuses; members are read only where a group's
//! `lastMembershipUpdated` asks for it.
//!
//! Who is assigned is known by the application's users alone. Where the scope also chooses people by group
//! (`OktaSettings::with_people_of`), the read of its members shows those whole who are not among them. As a profile or
//! a status moves no time stamp of the group, what changes of these people is seen when the group is read again: when
//! its members change, when the application's users do, else after `member_reread` (a day). A later version follows
//! the System Log for them.
//!
//! | read | requests | proves |
//! |---|---|---|
//! | `app` | `GET /apps/{id}`: stops the cycle unless the application is active | - |
//! | `assignments` | `GET /apps/{id}/users?expand=user`, then `GET /apps/{id}/groups?expand=group` | assignments, in full |
//! | `groups` | the groups that the settings pick | - |
//! | `members:<group>` | `GET /groups/{id}/users` | the members of this group, in full |

mod app_users;
mod bookmark;
mod check;
mod due;
mod links;
mod pace;
mod pages;
mod records;
mod refusal;
mod settings;
mod talk;
mod wire;
mod witness;

pub use settings::OktaSettings;
pub use settings::OktaSettingsError;
pub use settings::PageSizes;

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use url::Url;

use bookmark::Bookmark;
use bookmark::Step;
use due::Plan;
use talk::Talk;

use super::Source;
use super::SourceError;
use crate::model::Finding;
use crate::model::GroupPick;
use crate::model::Page;
use crate::model::Read;
use crate::model::Reading;
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

    /// Where the n-th pick is looked up. `q` finds names by their beginning, without pages.
    fn pick(&self, index: usize) -> Option<Url> {
        let url = match self.settings.pick(index)? {
            GroupPick::Id(id) => self.talk.address(&["groups", &id.0], &[]),
            GroupPick::Name(text) | GroupPick::Prefix(text) => self.talk.address(&["groups"], &[("q", text)]),
            GroupPick::Rule { .. } => self.talk.address(&["groups"], &[("limit", "200")]),
        };
        Some(url)
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
        *self.plan() = plan(&self.settings, watermarks, reading, now);
        let begin = |name: &str, step, url: Url| Read {
            name: name.to_owned(),
            cursor: Bookmark::new(step, &url).cursor(),
        };
        let mut reads = vec![
            begin("app", Step::App, self.below_app(&[], &[])),
            begin("assignments", Step::AppUsers, self.first_users()),
        ];
        reads.extend(self.pick(0).map(|url| begin("groups", Step::Pick(0), url)));
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
}
