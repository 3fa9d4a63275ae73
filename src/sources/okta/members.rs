//! The members of one group, whole.

use url::Url;

use super::OktaSource;
use super::bookmark::Bookmark;
use super::bookmark::Step;
use super::due::Due;
use super::mark;
use super::mark::MEMBERS;
use super::pages::begin_again;
use super::pages::end;
use super::pages::on;
use super::pages::unreadable;
use super::records;
use super::records::Shown;
use super::refusal::Failure;
use super::refusal::ROLE;
use super::refusal::Refusal;
use super::talk::Rows;
use super::wire::Member;
use super::wire::Person;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::Page;
use crate::model::Read;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

impl OktaSource {
    /// The read of a group's members, where something says that they may be others now.
    pub(super) fn members_read(&self, group: &str, updated: Option<String>) -> Option<Read> {
        if !self.plan().take(group, updated.as_deref()) {
            return None;
        }
        let step = Step::Members { group: group.to_owned(), updated };
        let cursor = Bookmark::new(step, &self.first_members(group)).cursor();
        Some(Read { name: format!("{MEMBERS}{group}"), cursor })
    }

    /// Members are edges: who they are is known from the application's users, and many have no part in it. Those of
    /// a chosen group are people of the scope, with a row of the application or without.
    pub(super) async fn members(
        &self,
        bookmark: Bookmark,
        url: Url,
        group: &str,
        updated: Option<String>,
    ) -> Result<Page, SourceError> {
        let members = Collection::Members(SourceId(group.to_owned()));
        let first = self.first_members(group);
        if bookmark.url == first.as_str() && !bookmark.restarted {
            self.plan().members = Default::default();
        }
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(Failure::Refused(refusal)) if refusal.is_missing() || refusal.is_forbidden() => {
                return Ok(unread(members, group, &refusal));
            }
            Err(failure) => return begin_again(bookmark, failure, &first),
        };
        let (rows, bad) = page.read::<Member>();
        let container = Container::Group(SourceId(group.to_owned()));
        let mut shown = self.only_in(group, &page, bad);
        rows.iter().for_each(|row| self.plan().members.add(&row.id));
        let edge = |row: Member| records::edge(container.clone(), SourceId(row.id), Kind::User);
        shown.records.extend(rows.into_iter().map(edge));
        let (mut bookmark, next) = self.after(bookmark, &page, bad, &mut shown);
        if let Some(next) = next {
            return Ok(on(bookmark.at(&next), shown));
        }
        if let Some(doubt) = self.members_are_hidden(group).await? {
            bookmark.left_out = true;
            shown.notes.push(doubt);
        }
        let coverage = bookmark.coverage();
        if coverage == Coverage::Full {
            shown.notes.extend(self.kept_to_itself(group, updated.as_deref()));
        }
        // What is not whole is read again in the next cycle.
        let mark = (coverage == Coverage::Full).then(|| self.plan().mark(group, updated)).flatten();
        Ok(end(vec![(members, coverage)], mark.map(|mark| mark::text(&mark)), shown))
    }

    /// What a verification found that the group's time stamp did not tell.
    fn kept_to_itself(&self, group: &str, updated: Option<&str>) -> Option<String> {
        let plan = self.plan();
        let before = plan.known(group)?.members.as_deref()?;
        let now = plan.members.digest();
        let unheard = plan.due(group, updated) == Due::Verify && before != now;
        let count = |digest: &str| digest.split(':').next().unwrap_or_default().to_owned();
        unheard.then(|| {
            format!(
                "the members of group {group} changed though its lastMembershipUpdated did not ({} before, {} now); \
                 the daily verification found it",
                count(before),
                count(&now)
            )
        })
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
            let person = records::member(self.settings.statuses, row);
            shown.records.extend(person.records);
            shown.notes.extend(person.notes);
        }
        shown
    }
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
