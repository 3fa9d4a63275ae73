//! The second complete read of a group's members: Okta cannot be asked about one member (P2).

use std::collections::BTreeMap;

use super::OktaSource;
use super::listed::Listed;
use super::refusal::Failure;
use super::wire::Member;
use super::witness::said;
use crate::model::SourceId;
use crate::sources::SourceError;

/// Pages of all second readings of one cycle: 40,000 members at 200 a page, a minute of a small allowance. What lies
/// beyond waits for the complete read of the next cycle.
const PAGES_MAX: usize = 200;

/// The members as they were read a second time in this cycle, or why they are not all known. Each group is read once.
#[derive(Debug, Default)]
pub(super) struct SecondReadings {
    pub of: BTreeMap<SourceId, Result<Listed, String>>,
    pages: usize,
}

impl OktaSource {
    /// Reads the group a second time, unless it has been.
    pub(super) async fn read_again(&self, group: &SourceId) -> Result<(), SourceError> {
        if self.plan().second.of.contains_key(group) {
            return Ok(());
        }
        let reading = self.second_reading(group).await?;
        self.plan().second.of.insert(group.clone(), reading);
        Ok(())
    }

    /// All members, or why they are not all known.
    async fn second_reading(&self, group: &SourceId) -> Result<Result<Listed, String>, SourceError> {
        let mut members = Listed::default();
        let mut walked = std::collections::BTreeSet::new();
        let mut next = Some(self.first_members(&group.0));
        while let Some(url) = next {
            if !walked.insert(url.to_string()) {
                return Ok(Err("the list of members turns in circles".to_owned()));
            }
            if !self.one_page_more() {
                let why = format!("{PAGES_MAX} pages were read a second time, and no more are in one cycle");
                return Ok(Err(why));
            }
            let page = match self.talk.rows(url).await {
                Ok(page) => page,
                Err(Failure::Refused(refusal)) => return Ok(Err(said(refusal)?)),
                Err(Failure::Broken(error)) => return Err(error),
            };
            let (rows, bad) = page.read::<Member>();
            if bad > 0 {
                return Ok(Err("some rows of the members cannot be read".to_owned()));
            }
            rows.iter().for_each(|row| members.add(&row.id));
            next = page.next;
        }
        members.end();
        Ok(Ok(members))
    }

    fn one_page_more(&self) -> bool {
        let mut plan = self.plan();
        plan.second.pages += 1;
        plan.second.pages <= PAGES_MAX
    }
}
