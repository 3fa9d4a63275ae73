//! Groups that the scope chooses by id, name or rule. Okta's searches only propose; the rule itself decides.

use url::Url;

use super::OktaSource;
use super::bookmark::Bookmark;
use super::bookmark::Step;
use super::pages::end;
use super::pages::on;
use super::pages::told;
use super::pages::unreadable;
use super::records::Shown;
use super::refusal::Failure;
use super::talk::Rows;
use super::wire::Group;
use crate::model::GroupField;
use crate::model::GroupPick;
use crate::model::Page;
use crate::model::SourceId;
use crate::model::TextTest;
use crate::sources::SourceError;

/// `GET /groups?q=` shows so many at most and does not page (okta.md section 3.5).
const FOUND_MAX: usize = 300;
/// Larger pages of `/groups` have skipped rows (okta.md section 1.1).
const PAGE: &str = "200";

impl OktaSource {
    /// Where the n-th pick is looked up.
    ///
    /// | pick | asked |
    /// |---|---|
    /// | id | the group |
    /// | name, its beginning | `q`, one request without pages; where it shows as many as it can, `search` |
    /// | name contains; description begins, contains | `search`, in pages |
    /// | the end of a name or description | all groups, in pages: no search looks at ends |
    /// | any search that Okta cannot do now | all groups, in pages |
    pub(super) fn pick(&self, index: usize) -> Option<Url> {
        let pick = self.settings.pick(index)?;
        Some(match pick {
            GroupPick::Id(id) => self.talk.address(&["groups", &id.0], &[]),
            GroupPick::Name(text) | GroupPick::Prefix(text) => self.by_beginning(text),
            GroupPick::Rule { field: GroupField::Name, test: TextTest::Starts, text } => {
                self.by_beginning(text)
            }
            GroupPick::Rule { .. } => self.search(pick),
        })
    }

    fn by_beginning(&self, text: &str) -> Url {
        self.talk.address(&["groups"], &[("q", text)])
    }

    fn all_groups(&self) -> Url {
        self.talk.address(&["groups"], &[("limit", PAGE)])
    }

    fn search(&self, pick: &GroupPick) -> Url {
        match criteria(pick) {
            Some(criteria) => self.talk.address(&["groups"], &[("search", &criteria), ("limit", PAGE)]),
            None => self.all_groups(),
        }
    }

    pub(super) async fn picked(
        &self,
        bookmark: Bookmark,
        index: usize,
        url: Url,
    ) -> Result<Page, SourceError> {
        let Some(pick) = self.settings.pick(index) else {
            return Ok(end(Vec::new(), None, Shown::default()));
        };
        let mut shown = Shown::default();
        if let GroupPick::Id(id) = pick {
            let groups = self.picked_by_id(url, id, &mut shown).await?;
            return Ok(self.taken(index, &groups, None, shown));
        }
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(failure) => return self.ask_otherwise(bookmark, pick, failure),
        };
        let groups = fitting(pick, &page, &mut shown);
        let (bookmark, next) = self.after(bookmark, &page, 0, &mut shown);
        let short = bookmark.url == self.by_beginning(text_of(pick)).as_str();
        let further = if short && page.rows.len() >= FOUND_MAX { Some(self.search(pick)) } else { next };
        let on = further.map(|url| bookmark.at(&url));
        Ok(self.taken(index, &groups, on, shown))
    }

    /// The groups of a page, and what comes after it: more of this pick, the next one, or the end.
    fn taken(&self, index: usize, groups: &[Group], more: Option<Bookmark>, mut shown: Shown) -> Page {
        let mut further = Vec::new();
        for group in groups {
            if self.settings.picks_people(index) {
                self.plan().choose(&group.id);
            }
            further.extend(self.show_group(group, &mut shown));
        }
        let next = more.or_else(|| Some(Bookmark::new(Step::Pick(index + 1), &self.pick(index + 1)?)));
        let mut answer = match next {
            Some(bookmark) => on(bookmark, shown),
            None => end(Vec::new(), None, shown),
        };
        answer.further = further;
        answer
    }

    /// A search that Okta cannot do now (its index is away, the cursor is stale, the filter is not taken) is done by
    /// ourselves, once: over all groups.
    fn ask_otherwise(
        &self,
        bookmark: Bookmark,
        pick: &GroupPick,
        failure: Failure,
    ) -> Result<Page, SourceError> {
        let all = self.all_groups();
        let silent = match &failure {
            Failure::Refused(refusal) => matches!(refusal.status, 400 | 409 | 500 | 503 | 504),
            Failure::Broken(error) => matches!(error, SourceError::Unavailable { .. }),
        };
        if !silent || bookmark.restarted || bookmark.url == all.as_str() {
            return Err(failure.into());
        }
        let text = text_of(pick);
        let note =
            format!("{}; all groups are listed instead to find those chosen by `{text}`", told(&failure));
        Ok(on(Bookmark { restarted: true, ..bookmark.at(&all) }, Shown::of_note(note)))
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
}

/// A `search` that finds at least the groups of the pick; none where no search can.
fn criteria(pick: &GroupPick) -> Option<String> {
    let (field, operator, text) = match pick {
        GroupPick::Id(_) => return None,
        GroupPick::Name(text) => ("name", "eq", text),
        GroupPick::Prefix(text) => ("name", "sw", text),
        GroupPick::Rule { field, test, text } => {
            let field = match field {
                GroupField::Name => "name",
                GroupField::Description => "description",
            };
            match test {
                TextTest::Starts => (field, "sw", text),
                TextTest::Contains => (field, "co", text),
                TextTest::Ends => return None,
            }
        }
    };
    // Double-quoted, with quotes and backslashes escaped as in JSON (okta.md section 1).
    let literal = serde_json::Value::String(text.clone());
    Some(format!("profile.{field} {operator} {literal}"))
}

fn text_of(pick: &GroupPick) -> &str {
    match pick {
        GroupPick::Id(SourceId(text)) | GroupPick::Name(text) | GroupPick::Prefix(text) => text,
        GroupPick::Rule { text, .. } => text,
    }
}

/// Candidates that the rule takes. Deleted groups linger in searches, and an index may lag.
fn fitting(pick: &GroupPick, page: &Rows, shown: &mut Shown) -> Vec<Group> {
    let (groups, bad) = page.read::<Group>();
    if bad > 0 {
        shown.notes.push(unreadable(page, bad));
    }
    let fits = |group: &Group| pick.takes(&SourceId(group.id.clone()), group.name(), group.description());
    groups.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pick: GroupPick, expected: Option<&str>) {
        assert_eq!(criteria(&pick).as_deref(), expected);
    }

    fn rule(field: GroupField, test: TextTest) -> GroupPick {
        GroupPick::Rule { field, test, text: r#"a "b" \c"#.to_owned() }
    }

    #[test]
    fn a_rule_becomes_a_search_with_its_text_escaped() {
        check(GroupPick::Name("Sales".to_owned()), Some(r#"profile.name eq "Sales""#));
        check(GroupPick::Prefix("app-".to_owned()), Some(r#"profile.name sw "app-""#));
        check(rule(GroupField::Name, TextTest::Contains), Some(r#"profile.name co "a \"b\" \\c""#));
        check(
            rule(GroupField::Description, TextTest::Starts),
            Some(r#"profile.description sw "a \"b\" \\c""#),
        );
    }

    #[test]
    fn no_search_looks_at_the_end_of_a_text() {
        check(rule(GroupField::Name, TextTest::Ends), None);
        check(rule(GroupField::Description, TextTest::Ends), None);
    }
}
