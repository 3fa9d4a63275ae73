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
use super::mapping;
use crate::model::Vocabulary;

/// The filters of a selection; none at all admit everybody.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Filters {
    /// OR between these, AND inside.
    filters: Vec<Vec<Clause>>,
}

/// What every clause says of one object, in the order of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterResult {
    pub filters: Vec<Vec<ClauseResult>>,
}

/// What one clause says of one object. Neither has the object's value (P11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseResult {
    /// The clause as a person reads it: `department EQUALS Sales`.
    pub clause: String,
    pub met: bool,
}

impl Filters {
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Whether the object may stay: one filter of which every clause is met, or no filter at all.
    pub fn admit(&self, given: &Given<'_>, vocabulary: Vocabulary) -> bool {
        let met = |clause: &Clause| clause.met(&mapping::attribute(clause.attribute(), given, vocabulary));
        self.filters.is_empty() || self.filters.iter().any(|clauses| clauses.iter().all(met))
    }

    /// Every clause with its result, for telling why.
    pub fn result(&self, given: &Given<'_>, vocabulary: Vocabulary) -> FilterResult {
        let result = |clause: &Clause| ClauseResult {
            clause: clause.to_string(),
            met: clause.met(&mapping::attribute(clause.attribute(), given, vocabulary)),
        };
        let filters = self.filters.iter().map(|clauses| clauses.iter().map(result).collect());
        FilterResult { filters: filters.collect() }
    }

    /// Whether a clause looks at the groups that somebody is in.
    pub fn uses_groups(&self) -> bool {
        self.filters.iter().flatten().any(|clause| mapping::is_of_groups(clause.attribute()))
    }

    /// The attributes that have to be read for these filters, by the source's own names.
    pub fn source_attributes(&self, vocabulary: Vocabulary) -> BTreeSet<String> {
        let named = self.filters.iter().flatten().map(Clause::attribute);
        named.filter_map(|name| mapping::attribute_read(name, vocabulary)).collect()
    }
}

impl FilterResult {
    pub fn admits(&self) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|clauses| clauses.iter().all(|clause| clause.met))
    }

    /// Why the object is out: of every filter the first clause that is not met, each once, sorted, so that equal
    /// reasons fold whatever the order of the settings.
    pub fn unmet(&self) -> BTreeSet<&str> {
        let first = |clauses: &'_ [ClauseResult]| clauses.iter().position(|clause| !clause.met);
        let unmet = self.filters.iter().filter_map(|clauses| Some(&clauses[first(clauses)?]));
        unmet.map(|result| result.clause.as_str()).collect()
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
        let result = filters.result(&given, Vocabulary::Graph);
        assert_eq!(result.admits(), filters.admit(&given, Vocabulary::Graph), "the two ways agree");
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
        let unmet: Vec<&str> = result.unmet().into_iter().collect();
        assert_eq!(unmet, ["department EQUALS Board", "department EQUALS Sales"]);
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
