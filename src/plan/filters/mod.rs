//! Scope filters: clauses over attributes of the source, AND inside a filter, OR between filters. Pure.
//!
//! The operators and what they say of a missing value are those of Entra ID's scoping filters (Entra provisioning
//! reference, section 3.1); docs/scope.md says what is ours.

mod clause;
mod pattern;
mod raw;

pub use clause::Clause;
pub use raw::FilterProblem;
pub use raw::RawClause;
pub use raw::RawFilters;

use std::collections::BTreeSet;

use serde::Serialize;

use super::Given;
use super::Membership;
use super::Proof;
use super::ScopeFact;
use super::mapping;
use crate::model::GroupPick;
use crate::model::Vocabulary;
use crate::model::WitnessQuestion;

/// The filters of a selection; none at all admit everybody.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Filters {
    /// OR between these, AND inside.
    filters: Vec<Vec<Clause>>,
}

/// One object as clauses look at it.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    pub given: Given<'a>,
    pub vocabulary: Vocabulary,
    /// What every `IsMemberOf` says of it.
    pub memberships: &'a [Membership<'a>],
    /// What is asked of a witness for each group that a complete read no longer showed it in.
    pub lost_groups: &'a [WitnessQuestion],
    /// Seconds since 1970.
    pub now_second: i64,
}

/// What every clause says of one object, in the order of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterResult {
    pub filters: Vec<Vec<ClauseResult>>,
}

/// What one clause says of one object. It has not the object's value (P11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseResult {
    /// The clause as a person reads it: `department EQUALS Sales`.
    pub clause: String,
    pub attribute: String,
    /// The attribute has a value; of `IsMemberOf`: the object is in the group.
    pub has_value: bool,
    pub met: bool,
    /// Time alone may change it.
    pub by_time: bool,
    /// What a witness is asked: a membership that a complete read no longer showed (P2).
    pub questions: Vec<WitnessQuestion>,
}

impl Filters {
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Whether the object may stay: one filter of which every clause is met, or no filter at all.
    pub fn admit(&self, sight: &Sight<'_>) -> bool {
        self.filters.is_empty() || self.take(sight)
    }

    /// Whether there is a filter of which every clause is met.
    pub fn take(&self, sight: &Sight<'_>) -> bool {
        self.filters.iter().any(|clauses| clauses.iter().all(|clause| sight.meets(clause)))
    }

    /// Every clause with its result, for telling why.
    pub fn result(&self, sight: &Sight<'_>) -> FilterResult {
        let filters = self.filters.iter();
        let filters = filters.map(|clauses| clauses.iter().map(|clause| sight.result(clause)).collect());
        FilterResult { filters: filters.collect() }
    }

    /// Whether a clause looks at the groups that somebody is in.
    pub fn uses_groups(&self) -> bool {
        self.clauses().any(|clause| mapping::is_of_groups(clause.attribute()))
    }

    /// The groups that these filters look at.
    pub fn groups(&self) -> impl Iterator<Item = &GroupPick> {
        self.clauses().filter_map(Clause::group)
    }

    /// When to look again because of the time alone; `i64::MAX` where every date has passed, `None` where there is
    /// no date.
    pub fn next_look(&self, sight: &Sight<'_>) -> Option<i64> {
        let dated = self.clauses().filter(|clause| clause.depends_on_time());
        let turns = dated.flat_map(|clause| clause.turns(&sight.value(clause)).collect::<Vec<i64>>());
        turns.map(|at| if at > sight.now_second { at } else { i64::MAX }).min()
    }

    /// The attributes that have to be read for these filters, by the source's own names.
    pub fn source_attributes(&self, vocabulary: Vocabulary) -> BTreeSet<String> {
        let named = self.clauses().filter(|clause| clause.group().is_none()).map(Clause::attribute);
        named.filter_map(|name| mapping::attribute_read(name, vocabulary)).collect()
    }

    fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.filters.iter().flatten()
    }
}

impl Sight<'_> {
    fn value(&self, clause: &Clause) -> crate::expr::Value {
        mapping::attribute(clause.attribute(), &self.given, self.vocabulary)
    }

    /// Who is in no group that was looked for is in none.
    fn membership(&self, pick: &GroupPick) -> Option<&ScopeFact> {
        self.memberships.iter().find(|membership| membership.pick == pick).map(|membership| &membership.fact)
    }

    fn meets(&self, clause: &Clause) -> bool {
        match clause.group() {
            Some(pick) => clause.met_by(matches!(self.membership(pick), Some(ScopeFact::In(_)))),
            None => clause.met(&self.value(clause), self.now_second),
        }
    }

    fn result(&self, clause: &Clause) -> ClauseResult {
        let has_value = match clause.group() {
            Some(pick) => matches!(self.membership(pick), Some(ScopeFact::In(_))),
            None => !self.value(clause).is_null_or_empty(),
        };
        ClauseResult {
            clause: clause.to_string(),
            attribute: clause.attribute().to_owned(),
            has_value,
            met: self.meets(clause),
            by_time: clause.depends_on_time(),
            questions: self.questions(clause),
        }
    }

    /// An attribute that the source shows proves itself; groups are lost by absence too.
    fn questions(&self, clause: &Clause) -> Vec<WitnessQuestion> {
        match clause.group().map(|pick| self.membership(pick)) {
            Some(Some(ScopeFact::Out(lost))) => {
                let absent = lost.iter().filter(|loss| loss.proof == Proof::Absence);
                absent.map(|loss| loss.question.clone()).collect()
            }
            None if mapping::is_of_groups(clause.attribute()) => self.lost_groups.to_vec(),
            _ => Vec::new(),
        }
    }
}

impl FilterResult {
    pub fn admits(&self) -> bool {
        self.filters.is_empty() || self.met().next().is_some()
    }

    /// The filters of which every clause is met.
    pub fn met(&self) -> impl Iterator<Item = &[ClauseResult]> {
        self.filters.iter().filter(|clauses| clauses.iter().all(|clause| clause.met)).map(Vec::as_slice)
    }

    /// Why the object is out: of every filter the first clause that is not met.
    pub fn unmet(&self) -> impl Iterator<Item = &ClauseResult> {
        self.filters.iter().filter_map(|clauses| clauses.iter().find(|clause| !clause.met))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Seen;
    use crate::model::SourceId;
    use crate::model::Standing;
    use crate::scim::Kind;

    fn clause(attribute: &str, op: &str, value: &str) -> RawClause {
        RawClause {
            attribute: Some(attribute.to_owned()),
            op: Some(op.to_owned()),
            value: Some(value.into()),
            ..RawClause::default()
        }
    }

    fn filters(raw: &[&[RawClause]]) -> Filters {
        let raw = RawFilters(raw.iter().map(|clauses| clauses.to_vec()).collect());
        raw.check(Kind::User, Vocabulary::Graph).expect("the filters are sound")
    }

    fn result(filters: &Filters, attributes: serde_json::Value) -> FilterResult {
        let attributes = serde_json::from_value(attributes).expect("an object");
        let seen = Seen { standing: Standing::Enabled, attributes };
        let id = SourceId("u1".to_owned());
        let given = Given { id: &id, kind: Kind::User, seen: &seen, soft_deleted: false, groups: &[] };
        let vocabulary = Vocabulary::Graph;
        let sight = Sight { given, vocabulary, memberships: &[], lost_groups: &[], now_second: 0 };
        let result = filters.result(&sight);
        assert_eq!(result.admits(), filters.admit(&sight), "the two ways agree");
        result
    }

    /// Entra provisioning reference, section 3.1: clauses inside a filter are AND, filters are OR.
    #[test]
    fn clauses_are_all_wanted_and_of_filters_one() {
        let sales_in_de = [clause("department", "EQUALS", "Sales"), clause("country", "EQUALS", "DE")];
        let filters = filters(&[&sales_in_de, &[clause("department", "EQUALS", "Board")]]);
        for (department, country, admitted) in
            [("Sales", "DE", true), ("Sales", "FR", false), ("Board", "FR", true), ("Shop", "DE", false)]
        {
            let result = result(&filters, json!({ "department": department, "country": country }));
            assert_eq!(result.admits(), admitted, "{department} {country}");
        }
    }

    /// Entra provisioning reference, section 3.1: no filter = everything.
    #[test]
    fn no_filter_admits_everybody() {
        assert!(result(&Filters::default(), json!({})).admits());
    }

    #[test]
    fn who_is_out_is_told_the_first_clause_of_every_filter_that_is_not_met() {
        let first = [clause("country", "EQUALS", "DE"), clause("department", "EQUALS", "Sales")];
        let filters = filters(&[&first, &[clause("department", "EQUALS", "Board")]]);
        let result = result(&filters, json!({ "department": "Shop", "country": "DE" }));
        let unmet: Vec<&str> = result.unmet().map(|result| result.clause.as_str()).collect();
        assert_eq!(unmet, ["department EQUALS Sales", "department EQUALS Board"]);
    }

    /// Aliases of section 5.2 work in filters, and what is read for them are the source's own names.
    #[test]
    fn filters_use_the_names_of_mappings() {
        let filters = filters(&[&[
            clause("mobile", "IS NOT NULL", ""),
            clause("extensionAttribute3", "EQUALS", "x"),
            clause("objectId", "EQUALS", "u1"),
            clause("userPrincipalName", "ENDS_WITH", "@home.example"),
        ]]);
        let read: Vec<String> = filters.source_attributes(Vocabulary::Graph).into_iter().collect();
        assert_eq!(read, ["mobilePhone", "onPremisesExtensionAttributes", "userPrincipalName"]);
        let guest = json!({
            "mobilePhone": "1", "onPremisesExtensionAttributes": { "extensionAttribute3": "x" },
            "userPrincipalName": "ann_home.example#EXT#@tenant.onmicrosoft.com",
        });
        assert!(result(&filters, guest).admits());
    }
}
