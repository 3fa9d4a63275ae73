//! The application, its users and its groups: who is assigned, in full, in every cycle.

use url::Url;

use super::OktaSource;
use super::bookmark::Bookmark;
use super::bookmark::Step;
use super::mark;
use super::mark::Roll;
use super::pages::SINGLES_PER_PAGE;
use super::pages::begin_again;
use super::pages::end;
use super::pages::on;
use super::records;
use super::records::Meaning;
use super::records::Shown;
use super::refusal::Failure;
use super::talk::Rows;
use super::wire::App;
use super::wire::AppGroup;
use super::wire::AppUser;
use super::wire::Group;
use super::wire::Member;
use super::wire::User;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Page;
use crate::model::Read;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

/// So many of a list are remembered: enough to ask somebody whether we still see.
pub(super) const SAMPLE: usize = 3;

impl OktaSource {
    /// An application that is not active has no users for reasons that are not theirs: nothing is read from it.
    pub(super) async fn app(&self, url: Url) -> Result<Page, SourceError> {
        let id = self.settings.app();
        let app: App = self.talk.one(url).await.map_err(|failure| match failure {
            Failure::Refused(refusal) if refusal.is_missing() => SourceError::Refused {
                what: format!("the application {id} is not there ({})", refusal.what()),
                cure: "check its id and what the token may see; nobody is removed meanwhile".to_owned(),
            },
            other => other.into(),
        })?;
        admitted(id, &app)?;
        Ok(end(Vec::new(), None, Shown::default()))
    }

    pub(super) async fn app_users(&self, bookmark: Bookmark, url: Url) -> Result<Page, SourceError> {
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(failure) => return begin_again(bookmark, failure, &self.first_users()),
        };
        let (rows, bad) = page.read::<AppUser>();
        self.remember(&page, &rows);
        let mut shown = self.people(rows).await?;
        let (mut bookmark, next) = self.after(bookmark, &page, bad, &mut shown);
        if let Some(next) = next {
            return Ok(on(bookmark.at(&next), shown));
        }
        self.end_of_users(page.next.is_some());
        if let Some(doubt) = self.users_are_hidden().await? {
            bookmark.left_out = true;
            shown.notes.push(doubt);
        }
        if !self.settings.assigned_teams {
            return Ok(self.end_of_assignments(&bookmark, shown));
        }
        Ok(on(Bookmark { step: Step::AppGroups, ..bookmark.at(&self.first_groups()) }, shown))
    }

    /// Keeps who the application's users are: a row that cannot be read belongs to somebody all the same.
    fn remember(&self, page: &Rows, read: &[AppUser]) {
        let (rows, nameless) = page.read::<Member>();
        let policy = self.settings.statuses;
        let mut plan = self.plan();
        rows.iter().for_each(|row| plan.app_users.add(&row.id));
        if nameless > 0 {
            plan.app_users.add_nameless();
        }
        let assigned =
            |row: &&AppUser| policy.assigned(row.status.as_deref().unwrap_or_default()) == Meaning::Yes;
        let open = SAMPLE.saturating_sub(plan.roll_now.users.len());
        plan.roll_now.users.extend(read.iter().filter(assigned).take(open).map(|row| row.id.clone()));
    }

    /// A listing that broke off did not show everybody.
    fn end_of_users(&self, broken_off: bool) {
        let mut plan = self.plan();
        if broken_off {
            plan.app_users.add_nameless();
        }
        plan.app_users.end();
    }

    fn end_of_assignments(&self, bookmark: &Bookmark, shown: Shown) -> Page {
        let covered = (Collection::Assignments(self.settings.app().clone()), bookmark.coverage());
        let roll = self.roll();
        let watermark = (roll != Roll::default()).then(|| mark::text(&roll));
        end(vec![covered], watermark, shown)
    }

    /// Who was on the lists when they last had somebody on them.
    fn roll(&self) -> Roll {
        let plan = self.plan();
        let or = |now: &Vec<String>, before: &Vec<String>| if now.is_empty() { before } else { now }.clone();
        Roll {
            users: or(&plan.roll_now.users, &plan.roll.users),
            groups: or(&plan.roll_now.groups, &plan.roll.groups),
            mappings: Vec::new(),
        }
    }

    /// The records of app users. Rows that came without their user are looked up, a few of them.
    async fn people(&self, rows: Vec<AppUser>) -> Result<Shown, SourceError> {
        let mut shown = Shown::default();
        let mut singles = SINGLES_PER_PAGE;
        for mut row in rows {
            let user = match row.embedded.take().and_then(|embedded| embedded.user) {
                Some(user) => Some(user),
                None if singles == 0 => None,
                None => {
                    singles -= 1;
                    self.single::<User>(&["users", &row.id]).await?
                }
            };
            let person = records::app_user(self.settings.statuses, self.settings.app(), row, user);
            shown.records.extend(person.records);
            shown.notes.extend(person.notes);
        }
        Ok(shown)
    }

    /// One object that a list did not carry; none where Okta refuses it.
    pub(super) async fn single<T: serde::de::DeserializeOwned>(
        &self,
        segments: &[&str],
    ) -> Result<Option<T>, SourceError> {
        match self.talk.one(self.talk.address(segments, &[])).await {
            Ok(object) => Ok(Some(object)),
            Err(Failure::Refused(refusal)) if refusal.is_missing() || refusal.is_forbidden() => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Ends the read of assignments: only who has walked users and groups knows everybody.
    pub(super) async fn app_groups(&self, bookmark: Bookmark, url: Url) -> Result<Page, SourceError> {
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(failure) => return begin_again(bookmark, failure, &self.first_groups()),
        };
        let (rows, bad) = page.read::<AppGroup>();
        let (mut shown, further) = self.teams(rows).await?;
        let (mut bookmark, next) = self.after(bookmark, &page, bad, &mut shown);
        let mut answer = if let Some(next) = next {
            on(bookmark.at(&next), shown)
        } else {
            if let Some(doubt) = self.groups_are_hidden().await? {
                bookmark.left_out = true;
                shown.notes.push(doubt);
            }
            self.end_of_assignments(&bookmark, shown)
        };
        answer.further = further;
        Ok(answer)
    }

    async fn teams(&self, rows: Vec<AppGroup>) -> Result<(Shown, Vec<Read>), SourceError> {
        let mut shown = Shown::default();
        let mut further = Vec::new();
        let mut singles = SINGLES_PER_PAGE;
        for row in rows {
            let group = match row.embedded.and_then(|embedded| embedded.group) {
                Some(group) => Some(group),
                None if singles == 0 => None,
                None => {
                    singles -= 1;
                    self.single::<Group>(&["groups", &row.id]).await?
                }
            };
            let id = SourceId(row.id);
            match &group {
                Some(group) => further.extend(self.show_group(group, &mut shown)),
                None => {
                    shown.notes.push(format!("group {id} came without its name; the one seen before stays"));
                    further.extend(self.members_read(&id.0, None));
                }
            }
            self.note_group(&id);
            shown.records.push(records::edge(Container::App(self.settings.app().clone()), id, Kind::Group));
        }
        Ok((shown, further))
    }

    fn note_group(&self, id: &SourceId) {
        let mut plan = self.plan();
        plan.shown.insert(id.0.clone());
        if plan.roll_now.groups.len() < SAMPLE {
            plan.roll_now.groups.push(id.0.clone());
        }
    }

    /// A group as an object, and the read of its members where they may be others now.
    pub(super) fn show_group(&self, group: &Group, shown: &mut Shown) -> Option<Read> {
        shown.records.push(records::group(group));
        let mut plan = self.plan();
        plan.shown.insert(group.id.clone());
        if group.kind.as_deref() != Some("OKTA_GROUP") {
            plan.imported.insert(group.id.clone());
        }
        drop(plan);
        self.members_read(&group.id, group.last_membership_updated.clone())
    }
}

fn admitted(id: &SourceId, app: &App) -> Result<(), SourceError> {
    if app.status != "ACTIVE" {
        return Err(SourceError::Refused {
            what: format!(
                "the application {id} is {}",
                if app.status.is_empty() { "of no status" } else { &app.status }
            ),
            cure: "activate it in the admin console, or end the job; nobody is removed meanwhile".to_owned(),
        });
    }
    if app.settings.as_ref().and_then(|settings| settings.implicit_assignment) == Some(true) {
        return Err(SourceError::Refused {
            what: format!("the application {id} admits everybody without assignment (implicitAssignment)"),
            cure: "switch that off and assign the people or groups who shall have it".to_owned(),
        });
    }
    Ok(())
}
