//! The reads of Okta, page by page: which step comes, how a listing goes on, where it ends, and what that proves.

use url::Url;

use super::OktaSource;
use super::bookmark::Bookmark;
use super::bookmark::Step;
use super::records::Shown;
use super::refusal::Failure;
use super::talk::Rows;
use crate::model::Collection;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Read;
use crate::sources::SourceError;

/// Rows of one page that may be looked up one by one when `expand` was not honoured; more would cost the org's
/// allowance, and the next cycle has another chance.
pub(super) const SINGLES_PER_PAGE: usize = 50;
/// Pages of one listing, four million rows at 200 a page: what has more is no list of people.
const PAGES_MAX: usize = 20_000;

impl OktaSource {
    pub(super) async fn turn(&self, read: &Read) -> Result<Page, SourceError> {
        let bookmark = Bookmark::read(&read.cursor)?;
        let url = self.talk.follow(&bookmark.url)?;
        if !url.query_pairs().any(|(name, _)| name == "after") {
            self.plan().walked.clear();
        }
        match bookmark.step.clone() {
            Step::App => self.app(url).await,
            Step::Log => self.log(bookmark, url).await,
            Step::AppUsers => self.app_users(bookmark, url).await,
            Step::AppGroups => self.app_groups(bookmark, url).await,
            Step::Push => self.push(bookmark, url).await,
            Step::Pushed(groups) => self.pushed_groups(url, &groups).await,
            Step::Pick(index) => self.picked(bookmark, index, url).await,
            Step::Members { group, updated } => self.members(bookmark, url, &group, updated).await,
            Step::Lost => Ok(self.look_for_lost()),
            Step::LostGroup(group) => self.lost_group(url, &group).await,
        }
    }

    /// The listing after this page, and where it goes on. A cursor that comes back turns in circles: what was read is
    /// true, but nobody knows what is missing (okta.md section 1.1).
    pub(super) fn after(
        &self,
        mut bookmark: Bookmark,
        page: &Rows,
        bad: usize,
        shown: &mut Shown,
    ) -> (Bookmark, Option<Url>) {
        if bad > 0 {
            bookmark.left_out = true;
            shown.notes.push(format!("{}; nobody is removed for being absent", unreadable(page, bad)));
        }
        let Some(next) = page.next.clone() else { return (bookmark, None) };
        let mut plan = self.plan();
        plan.walked.insert(bookmark.url.clone());
        if plan.walked.len() < PAGES_MAX && !plan.walked.contains(next.as_str()) {
            return (bookmark, Some(next));
        }
        let why =
            if plan.walked.len() < PAGES_MAX { "its pages turn in a circle" } else { "it does not end" };
        shown.notes.push(format!("{}: {why}; nobody is removed for being absent", page.place));
        bookmark.left_out = true;
        (bookmark, None)
    }
}

/// Okta refused its own cursor: the listing begins again, once. Its records so far are not wrong, only not all.
pub(super) fn begin_again(bookmark: Bookmark, failure: Failure, first: &Url) -> Result<Page, SourceError> {
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
    Ok(on(Bookmark { restarted: true, ..bookmark.at(first) }, Shown::of_note(note)))
}

pub(super) fn unreadable(page: &Rows, bad: usize) -> String {
    format!("{}: {bad} of {} rows cannot be read and are left out", page.place, page.rows.len())
}

/// Why a request brought nothing, for a note.
pub(super) fn told(failure: &Failure) -> String {
    match failure {
        Failure::Refused(refusal) => refusal.what(),
        Failure::Broken(error) => error.to_string(),
    }
}

impl Bookmark {
    pub(super) fn coverage(&self) -> Coverage {
        if self.left_out { Coverage::Partial } else { Coverage::Full }
    }
}

pub(super) fn on(bookmark: Bookmark, shown: Shown) -> Page {
    page(Next::Page(bookmark.cursor()), shown)
}

pub(super) fn end(covered: Vec<(Collection, Coverage)>, watermark: Option<String>, shown: Shown) -> Page {
    page(Next::End { covered, watermark }, shown)
}

fn page(next: Next, shown: Shown) -> Page {
    Page { records: shown.records, next, further: Vec::new(), notes: shown.notes }
}
