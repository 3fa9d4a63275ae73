//! Groups that were read before and that no list shows any more: unassigned, renamed, or deleted. Without a look at
//! each of them a renamed group would keep its old name, and a deleted one its members, for ever.

use url::Url;

use super::OktaSource;
use super::bookmark::Bookmark;
use super::bookmark::Step;
use super::mark;
use super::mark::MEMBERS;
use super::mark::Mark;
use super::pages::end;
use super::records;
use super::records::Shown;
use super::refusal::Failure;
use super::wire::Group;
use crate::model::Page;
use crate::model::Read;
use crate::model::Record;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

/// So many in one cycle: a scope that was changed as a whole costs no more requests than this, and the next cycles
/// go on.
const LOST_PER_CYCLE: usize = 50;
/// How often a group that is not there is asked for: two complete reads confirm it, and one more does no harm.
const NOT_FOUND_MAX: u8 = 3;

impl OktaSource {
    /// Comes after everything that shows groups.
    pub(super) fn lost_read(&self) -> Read {
        let bookmark = Bookmark::new(Step::Lost, &self.below_app(&[], &[]));
        Read { name: "lost".to_owned(), cursor: bookmark.cursor() }
    }

    /// Asks nothing itself.
    pub(super) fn look_for_lost(&self) -> Page {
        let lost = self.plan().lost();
        let reads = lost.iter().take(LOST_PER_CYCLE).map(|group| {
            let url = self.talk.address(&["groups", group], &[]);
            let bookmark = Bookmark::new(Step::LostGroup(group.clone()), &url);
            Read { name: format!("{MEMBERS}{group}"), cursor: bookmark.cursor() }
        });
        let mut page = end(Vec::new(), None, Shown::default());
        page.further = reads.collect();
        page
    }

    /// | answer | then |
    /// |---|---|
    /// | the group | it has this name now, and is not asked for again until a list shows it |
    /// | 404, 410 | it is missing; that is for a witness to confirm |
    /// | a refusal | it stays as it was seen |
    pub(super) async fn lost_group(&self, url: Url, group: &str) -> Result<Page, SourceError> {
        let mut shown = Shown::default();
        let Some(known) = self.plan().known(group).cloned() else { return Ok(end(Vec::new(), None, shown)) };
        let mark = match self.talk.one::<Group>(url).await {
            Ok(object) => {
                shown.records.push(records::group(&object));
                Some(Mark { settled: true, not_found: 0, ..known })
            }
            Err(Failure::Refused(refusal)) if refusal.is_missing() => {
                let id = SourceId(group.to_owned());
                shown.records.push(Record::NotFound { kind: Kind::Group, id });
                let not_found = known.not_found.saturating_add(1);
                Some(Mark { settled: not_found >= NOT_FOUND_MAX, not_found, ..known })
            }
            Err(Failure::Refused(refusal)) if refusal.is_forbidden() => {
                shown.notes.push(format!(
                    "group {group} is on no list any more and may not be looked at ({}); its team stays as it was",
                    refusal.what()
                ));
                None
            }
            Err(failure) => return Err(failure.into()),
        };
        Ok(end(Vec::new(), mark.map(|mark| mark::text(&mark)), shown))
    }
}
