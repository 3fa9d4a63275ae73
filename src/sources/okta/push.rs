//! Groups that the application pushes (Group Push): one more list, of groups that become teams (okta.md section 3.9).
//!
//! | mapping | the team |
//! |---|---|
//! | ACTIVE | is kept like any other |
//! | ERROR | is kept like any other: that Okta could not push it does not matter to who reads it; the error is shown |
//! | INACTIVE (a deactivated push) | stays as it is: neither its name nor its members follow the group, as in Okta; people who leave the scope lose their place in it all the same |
//! | gone | leaves the scope, once a witness confirms it |

use std::collections::BTreeSet;

use url::Url;

use super::OktaSource;
use super::assignments::SAMPLE;
use super::bookmark::Bookmark;
use super::bookmark::Step;
use super::mark;
use super::mark::Roll;
use super::pages::begin_again;
use super::pages::end;
use super::pages::on;
use super::records;
use super::records::Shown;
use super::refusal::Failure;
use super::refusal::Refusal;
use super::wire::Group;
use super::wire::PushMapping;
use crate::model::Collection;
use crate::model::Coverage;
use crate::model::List;
use crate::model::Page;
use crate::model::Read;
use crate::model::SourceId;
use crate::sources::SourceError;

/// Groups that are asked for in one request; the address stays below three kilobytes (E0000256).
const GROUPS_PER_REQUEST: usize = 50;

impl OktaSource {
    pub(super) fn push_list(&self) -> SourceId {
        List::PushMappings(self.settings.app().clone()).id()
    }

    pub(super) fn first_mappings(&self) -> Url {
        self.below_app(&["group-push", "mappings"], &[("limit", "1000")])
    }

    pub(super) async fn push(&self, bookmark: Bookmark, url: Url) -> Result<Page, SourceError> {
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(Failure::Refused(refusal)) if is_off(&refusal) => return Ok(self.no_push(&refusal)),
            Err(failure) => return begin_again(bookmark, failure, &self.first_mappings()),
        };
        let (rows, bad) = page.read::<PushMapping>();
        let mut shown = Shown::default();
        let mut sought = bookmark.sought.iter().cloned().collect::<BTreeSet<String>>();
        let list = self.push_list();
        for mapping in rows {
            self.note_mapping(&mapping);
            if mapping.status.as_deref() == Some("INACTIVE") {
                self.plan().parked.insert(mapping.source_group_id.clone());
            } else {
                sought.insert(mapping.source_group_id.clone());
            }
            shown.records.push(records::pushed(&list, &mapping));
        }
        let (bookmark, next) = self.after(bookmark, &page, bad, &mut shown);
        if let Some(next) = next {
            return Ok(on(Bookmark { sought: sought.into_iter().collect(), ..bookmark.at(&next) }, shown));
        }
        self.end_of_push(bookmark, sought, shown).await
    }

    /// What is not shown by another list is looked for, so many at a time, in reads of their own.
    async fn end_of_push(
        &self,
        mut bookmark: Bookmark,
        sought: BTreeSet<String>,
        mut shown: Shown,
    ) -> Result<Page, SourceError> {
        if let Some(doubt) = self.mappings_are_hidden().await? {
            bookmark.left_out = true;
            shown.notes.push(doubt);
        }
        let unknown: Vec<String> =
            sought.into_iter().filter(|group| !self.plan().shown.contains(group)).collect();
        let further = unknown.chunks(GROUPS_PER_REQUEST).enumerate().map(|(place, groups)| {
            let bookmark = Bookmark::new(Step::Pushed(groups.to_vec()), &self.groups_of(groups));
            Read { name: format!("pushed:{place}"), cursor: bookmark.cursor() }
        });
        let mut further: Vec<Read> = further.collect();
        further.push(self.lost_read());
        let covered = (Collection::Assignments(self.push_list()), bookmark.coverage());
        let mappings = {
            let plan = self.plan();
            let now = &plan.roll_now.mappings;
            if now.is_empty() { plan.pushed.mappings.clone() } else { now.clone() }
        };
        let roll = Roll { mappings, ..Roll::default() };
        let watermark = (roll != Roll::default()).then(|| mark::text(&roll));
        let mut answer = end(vec![covered], watermark, shown);
        answer.further = further;
        Ok(answer)
    }

    fn note_mapping(&self, mapping: &PushMapping) {
        let mut plan = self.plan();
        if plan.roll_now.mappings.len() < SAMPLE {
            plan.roll_now.mappings.push(mapping.id.clone());
        }
    }

    /// The feature is off, or hidden from us: nobody knows what is pushed, and every team stays as it is.
    fn no_push(&self, refusal: &Refusal) -> Page {
        let cure = "set up provisioning and Group Push for the application, or set scope.teams.push_mappings = false";
        let note = format!(
            "the group push mappings cannot be read ({}); teams stay as they are; {cure}",
            refusal.what()
        );
        end(vec![(Collection::Assignments(self.push_list()), Coverage::Partial)], None, Shown::of_note(note))
    }

    fn groups_of(&self, ids: &[String]) -> Url {
        let clauses: Vec<String> = ids.iter().map(|id| format!("id eq \"{id}\"")).collect();
        self.talk.address(&["groups"], &[("filter", &clauses.join(" or ")), ("limit", "200")])
    }

    /// Fewer groups than a page holds were asked for. One that is not there has no name, and gets none.
    pub(super) async fn pushed_groups(&self, url: Url, sought: &[String]) -> Result<Page, SourceError> {
        let page = self.talk.rows(url).await?;
        let (groups, _) = page.read::<Group>();
        let mut shown = Shown::default();
        let mut further = Vec::new();
        for group in groups.iter().filter(|group| sought.contains(&group.id)) {
            further.extend(self.show_group(group, &mut shown));
        }
        let missing = sought.iter().filter(|id| groups.iter().all(|group| group.id != **id));
        shown.notes.extend(
            missing.map(|id| format!("the pushed group {id} is not there; its team stays as it was")),
        );
        let mut answer = end(Vec::new(), None, shown);
        answer.further = further;
        Ok(answer)
    }
}

/// 401 E0000015: the org has no such feature. 404: the application has no provisioning. 403: not for this role.
fn is_off(refusal: &Refusal) -> bool {
    (refusal.status == 401 && refusal.code == "E0000015") || matches!(refusal.status, 403 | 404 | 501)
}
