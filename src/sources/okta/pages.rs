//! The reads of Okta, page by page: the application, its users and groups, picked groups, members.

use url::Url;

use super::OktaSource;
use super::bookmark::Bookmark;
use super::bookmark::Step;
use super::due::MEMBERS;
use super::records;
use super::records::Shown;
use super::refusal::Failure;
use super::refusal::ROLE;
use super::refusal::Refusal;
use super::talk::Rows;
use super::wire::App;
use super::wire::AppGroup;
use super::wire::AppUser;
use super::wire::Group;
use super::wire::Member;
use super::wire::Person;
use super::wire::User;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::GroupPick;
use crate::model::Next;
use crate::model::Page;
use crate::model::Read;
use crate::model::Record;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

/// Rows of one page that may be looked up one by one when `expand` was not honoured; more would cost the org's
/// allowance, and the next cycle has another chance.
const SINGLES_PER_PAGE: usize = 50;
/// `GET /groups?q=` shows so many at most and does not page (okta.md section 3.5).
const FOUND_MAX: usize = 300;

impl OktaSource {
    pub(super) async fn turn(&self, read: &Read) -> Result<Page, SourceError> {
        let bookmark = Bookmark::read(&read.cursor)?;
        let url = self.talk.follow(&bookmark.url)?;
        match bookmark.step.clone() {
            Step::App => self.app(url).await,
            Step::AppUsers => self.app_users(bookmark, url).await,
            Step::AppGroups => self.app_groups(bookmark, url).await,
            Step::Pick(index) => self.picked(index, url).await,
            Step::Members { group, updated } => self.members(bookmark, url, &group, updated).await,
        }
    }

    /// An application that is not active has no users for reasons that are not theirs: nothing is read from it.
    async fn app(&self, url: Url) -> Result<Page, SourceError> {
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

    async fn app_users(&self, bookmark: Bookmark, url: Url) -> Result<Page, SourceError> {
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(failure) => return begin_again(bookmark, failure, self.first_users()),
        };
        let (rows, bad) = page.read::<AppUser>();
        self.remember(&page);
        let mut shown = self.people(rows).await?;
        let bookmark = bookmark.after(&page, bad, &mut shown);
        match page.next {
            Some(next) => Ok(on(bookmark.at(&next), shown)),
            None => Ok(on(Bookmark { step: Step::AppGroups, ..bookmark.at(&self.first_groups()) }, shown)),
        }
    }

    /// Keeps who the application's users are, where members of groups are people too: a row that cannot be read
    /// belongs to somebody all the same.
    fn remember(&self, page: &Rows) {
        if self.settings.people_of().is_empty() {
            return;
        }
        let (rows, nameless) = page.read::<Member>();
        let mut plan = self.plan();
        rows.iter().for_each(|row| plan.app_users.add(&row.id));
        if nameless > 0 {
            plan.app_users.add_nameless();
        }
        if page.next.is_none() {
            plan.app_users.end();
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
            let person = records::app_user(self.settings.app(), row, user);
            shown.records.extend(person.records);
            shown.notes.extend(person.notes);
        }
        Ok(shown)
    }

    /// One object that a list did not carry; none where Okta refuses it.
    async fn single<T: serde::de::DeserializeOwned>(
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
    async fn app_groups(&self, bookmark: Bookmark, url: Url) -> Result<Page, SourceError> {
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(failure) => return begin_again(bookmark, failure, self.first_groups()),
        };
        let (rows, bad) = page.read::<AppGroup>();
        let (mut shown, further) = self.teams(rows).await?;
        let bookmark = bookmark.after(&page, bad, &mut shown);
        let covered = (Collection::Assignments(self.settings.app().clone()), bookmark.coverage());
        let mut answer = match page.next {
            Some(next) => on(bookmark.at(&next), shown),
            None => end(vec![covered], None, shown),
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
            let updated = group.as_ref().and_then(|group| group.last_membership_updated.clone());
            let id = SourceId(row.id);
            match &group {
                Some(group) => shown.records.push(records::group(group)),
                None => {
                    shown.notes.push(format!("group {id} came without its name; the one seen before stays"))
                }
            }
            further.extend(self.members_read(&id.0, updated));
            shown.records.push(records::edge(Container::App(self.settings.app().clone()), id, Kind::Group));
        }
        Ok((shown, further))
    }

    fn members_read(&self, group: &str, updated: Option<String>) -> Option<Read> {
        if !self.plan().take(group, updated.as_deref()) {
            return None;
        }
        let step = Step::Members { group: group.to_owned(), updated };
        let cursor = Bookmark::new(step, &self.first_members(group)).cursor();
        Some(Read { name: format!("{MEMBERS}{group}"), cursor })
    }

    async fn picked(&self, index: usize, url: Url) -> Result<Page, SourceError> {
        let mut shown = Shown::default();
        let groups = match self.settings.pick(index) {
            Some(GroupPick::Id(id)) => self.picked_by_id(url, id, &mut shown).await?,
            Some(pick) => {
                let page = self.talk.rows(url).await?;
                found(pick, &page, &mut shown)
            }
            None => Vec::new(),
        };
        let mut further = Vec::new();
        for group in groups {
            shown.records.push(records::group(&group));
            if self.settings.picks_people(index) {
                self.plan().choose(&group.id);
            }
            further.extend(self.members_read(&group.id, group.last_membership_updated));
        }
        let mut answer = match self.pick(index + 1) {
            Some(url) => on(Bookmark::new(Step::Pick(index + 1), &url), shown),
            None => end(Vec::new(), None, shown),
        };
        answer.further = further;
        Ok(answer)
    }

    async fn picked_by_id(
        &self,
        url: Url,
        id: &SourceId,
        shown: &mut Shown,
    ) -> Result<Vec<Group>, SourceError> {
        match self.talk.one::<Group>(url).await {
            Ok(group) => Ok(vec![group]),
            Err(Failure::Refused(refusal)) if refusal.is_missing() => {
                shown.notes.push(format!("the picked group {id} is not there; check its id"));
                Ok(Vec::new())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Members are edges: who they are is known from the application's users, and many have no part in it. Those of
    /// a chosen group are people of the scope, with a row of the application or without.
    async fn members(
        &self,
        bookmark: Bookmark,
        url: Url,
        group: &str,
        updated: Option<String>,
    ) -> Result<Page, SourceError> {
        let members = Collection::Members(SourceId(group.to_owned()));
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(Failure::Refused(refusal)) if refusal.is_missing() || refusal.is_forbidden() => {
                return Ok(unread(members, group, &refusal));
            }
            Err(failure) => return begin_again(bookmark, failure, self.first_members(group)),
        };
        let (rows, bad) = page.read::<Member>();
        let container = Container::Group(SourceId(group.to_owned()));
        let edge = |row: Member| records::edge(container.clone(), SourceId(row.id), Kind::User);
        let mut shown = self.only_in(group, &page, bad);
        shown.records.extend(rows.into_iter().map(edge));
        let bookmark = bookmark.after(&page, bad, &mut shown);
        let coverage = bookmark.coverage();
        if let Some(next) = page.next {
            return Ok(on(bookmark.at(&next), shown));
        }
        // What is not whole is read again in the next cycle.
        let mark = (coverage == Coverage::Full).then(|| self.plan().mark(group, updated)).flatten();
        Ok(end(vec![(members, coverage)], mark.map(|mark| mark.text()), shown))
    }

    /// The members of a chosen group who are not among the application's users, whole. Of the others this cycle has
    /// shown more already; where nobody can say who they all are, the objects seen before stay.
    fn only_in(&self, group: &str, page: &Rows, nameless: usize) -> Shown {
        let mut shown = Shown::default();
        let plan = self.plan();
        if !plan.is_chosen(group) {
            return shown;
        }
        if !plan.app_users.are_whole() {
            shown.notes.push(format!(
                "not all users of the application are known; people of group {group} alone are read in the next cycle"
            ));
            return shown;
        }
        let (rows, bad) = page.read::<Person>();
        if bad > nameless {
            shown.notes.push(unreadable(page, bad - nameless));
        }
        for row in rows.into_iter().filter(|row| !plan.app_users.has(&row.id)) {
            let person = records::member(row);
            shown.records.extend(person.records);
            shown.notes.extend(person.notes);
        }
        shown
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

/// Groups whose name fits but for case, which `q` does not look at either; the rules of the scope decide.
fn found(pick: &GroupPick, page: &Rows, shown: &mut Shown) -> Vec<Group> {
    let (groups, bad) = page.read::<Group>();
    let wanted = match pick {
        GroupPick::Id(SourceId(text))
        | GroupPick::Name(text)
        | GroupPick::Prefix(text)
        | GroupPick::Rule { text, .. } => text,
    };
    if bad > 0 {
        shown.notes.push(unreadable(page, bad));
    }
    if page.rows.len() >= FOUND_MAX || page.next.is_some() {
        shown.notes.push(format!(
            "the search for groups named `{wanted}…` shows no more than {FOUND_MAX}; pick longer names, or ids"
        ));
    }
    let fits = |group: &Group| pick.takes(&SourceId(group.id.clone()), group.name(), group.description());
    groups.into_iter().filter(fits).collect()
}

/// Okta refused its own cursor: the listing begins again, once. Its records so far are not wrong, only not all.
fn begin_again(bookmark: Bookmark, failure: Failure, first: Url) -> Result<Page, SourceError> {
    let Failure::Refused(refusal) = failure else { return Err(failure.into()) };
    if !refusal.is_bad_cursor() || bookmark.url == first.as_str() {
        return Err(refusal.into());
    }
    if bookmark.restarted {
        return Err(SourceError::Unavailable {
            what: format!("{}, a cursor of its own, twice in one listing", refusal.what()),
        });
    }
    let note = format!("{}, a cursor of its own; the listing begins again", refusal.what());
    let shown = Shown { records: Vec::new(), notes: vec![note] };
    Ok(on(Bookmark { restarted: true, ..bookmark.at(&first) }, shown))
}

/// Members that cannot be read are unknown, not gone (P1).
fn unread(members: Collection, group: &str, refusal: &Refusal) -> Page {
    let what = refusal.what();
    let note = if refusal.is_missing() {
        format!("group {group} is no longer there ({what}); its members stay as they were seen")
    } else {
        let cure = refusal.cure().unwrap_or_else(|| ROLE.to_owned());
        format!("the members of group {group} cannot be read ({what}); {cure}")
    };
    let shown = Shown { records: Vec::new(), notes: vec![note] };
    end(vec![(members, Coverage::Partial)], None, shown)
}

fn unreadable(page: &Rows, bad: usize) -> String {
    format!("{}: {bad} of {} rows cannot be read and are left out", page.place, page.rows.len())
}

impl Bookmark {
    /// The same listing after a page of which some rows could not be read.
    fn after(mut self, page: &Rows, bad: usize, shown: &mut Shown) -> Bookmark {
        if bad > 0 {
            self.left_out = true;
            shown.notes.push(format!("{}; nobody is removed for being absent", unreadable(page, bad)));
        }
        self
    }

    fn coverage(&self) -> Coverage {
        if self.left_out { Coverage::Partial } else { Coverage::Full }
    }
}

fn on(bookmark: Bookmark, shown: Shown) -> Page {
    page(Next::Page(bookmark.cursor()), shown)
}

fn end(covered: Vec<(Collection, Coverage)>, watermark: Option<String>, shown: Shown) -> Page {
    page(Next::End { covered, watermark }, shown)
}

fn page(next: Next, shown: Shown) -> Page {
    let records: Vec<Record> = shown.records;
    Page { records, next, further: Vec::new(), notes: shown.notes }
}
