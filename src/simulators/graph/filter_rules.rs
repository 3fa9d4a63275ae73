//! What `$filter` may ask of which property, and what needs an advanced query (graph.md sections 4, 5.5 and 5.12).

use super::super::exchange::Answer;
use super::errors::bad_request;
use super::errors::error;
use super::filter::Expression;
use super::filter::Literal;
use super::filter::Operator;
use super::filter::Test;

/// At most this many alternatives without an advanced query.
const ALTERNATIVES_MAX: usize = 15;
/// How deep `and`, `or` and `not` may be nested.
const DEPTH_MAX: usize = 3;
/// For delta queries on ids (section 6.1).
const DELTA_IDS_MAX: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Flag,
    Date,
    /// A list of texts, asked with `any`.
    Texts,
    Identities,
    Guid,
}

/// D: by default, A: in advanced queries only, -: never; for eq, ne, not, ge, le, in, startsWith and the null test.
/// After a blank stands E where `endsWith` is possible (advanced).
type Row = (&'static str, Form, &'static str);

/// A kind of object and what can be asked of it.
pub(super) struct Rules {
    pub(super) resource: &'static str,
    pub(super) rows: &'static [Row],
}

pub(super) const USERS: Rules = Rules {
    resource: "User",
    rows: &[
        // The table leaves `id` out; `id in (…)` is used everywhere.
        ("id", Form::Text, "DAA--D--"),
        ("accountEnabled", Form::Flag, "DAAAAD--"),
        ("city", Form::Text, "DAAD-DDA"),
        ("companyName", Form::Text, "AAAAAAAA"),
        ("country", Form::Text, "DAADDDDA"),
        ("department", Form::Text, "DAADDDDA"),
        ("createdDateTime", Form::Date, "DAADDA--"),
        ("deletedDateTime", Form::Date, "DAADDA--"),
        ("creationType", Form::Text, "DAA--D--"),
        ("userType", Form::Text, "DAA--D-A"),
        ("displayName", Form::Text, "DAA--DDA"),
        ("employeeId", Form::Text, "DA--A-DA"),
        ("employeeHireDate", Form::Date, "AA-AAA--"),
        ("employeeType", Form::Text, "AA-AAAA-"),
        ("givenName", Form::Text, "DA-DDDDA"),
        ("surname", Form::Text, "DA-DDDDA"),
        ("mailNickname", Form::Text, "DA-DDDDA"),
        ("state", Form::Text, "DA-DDDDA"),
        ("jobTitle", Form::Text, "DA-DDD-A"),
        ("mail", Form::Text, "DA-DDDD- E"),
        ("onPremisesUserPrincipalName", Form::Text, "DA-DDDD-"),
        ("usageLocation", Form::Text, "DA-DDDD-"),
        ("otherMails", Form::Texts, "DA-DDDD- E"),
        ("mobilePhone", Form::Text, "AA-AAAAA"),
        ("officeLocation", Form::Text, "AA-AAAAA"),
        ("postalCode", Form::Text, "AA-AAAAA"),
        ("streetAddress", Form::Text, "AA-AAAAA"),
        ("preferredLanguage", Form::Text, "AA-AAAAA"),
        ("onPremisesExtensionAttributes/*", Form::Text, "AA-AAA--"),
        ("onPremisesImmutableId", Form::Text, "AA-AAA--"),
        ("onPremisesLastSyncDateTime", Form::Date, "AA-AAA--"),
        ("onPremisesSamAccountName", Form::Text, "AA-AAAA-"),
        ("onPremisesSyncEnabled", Form::Flag, "DA-AAD--"),
        ("onPremisesSecurityIdentifier", Form::Text, "DA---D-A"),
        ("proxyAddresses", Form::Texts, "DA-DD-DA E"),
        ("userPrincipalName", Form::Text, "DA--DDD- E"),
        ("identities", Form::Identities, "D-------"),
        // A directory extension; its row is not in the table (inf).
        ("extension_*", Form::Text, "DA-DDDDA"),
    ],
};

/// Section 5.5 names what works by default; the rest follows the users' rows of the same name (inf).
pub(super) const GROUPS: Rules = Rules {
    resource: "Group",
    rows: &[
        ("id", Form::Text, "DAA--D--"),
        ("displayName", Form::Text, "DAADDDDA E"),
        ("description", Form::Text, "DAADDDDA"),
        ("mail", Form::Text, "DAADDDDA E"),
        ("mailNickname", Form::Text, "DAADDDD-"),
        ("mailEnabled", Form::Flag, "DAA--D--"),
        ("securityEnabled", Form::Flag, "DAA--D--"),
        ("createdDateTime", Form::Date, "DAADDA--"),
        ("deletedDateTime", Form::Date, "DAADDA--"),
        ("groupTypes", Form::Texts, "DAA-----"),
        ("proxyAddresses", Form::Texts, "DA-DD-DA E"),
        ("isAssignableToRole", Form::Flag, "DAA-----"),
        ("membershipRule", Form::Text, "AAAAAAAA"),
        ("onPremisesLastSyncDateTime", Form::Date, "DAADDA--"),
        ("onPremisesSamAccountName", Form::Text, "DA-DDDDA"),
        ("onPremisesSecurityIdentifier", Form::Text, "DA---D-A"),
        ("onPremisesSyncEnabled", Form::Flag, "DA---D-A"),
        ("uniqueName", Form::Text, "D-------"),
    ],
};

pub(super) const SERVICE_PRINCIPALS: Rules = Rules {
    resource: "ServicePrincipal",
    rows: &[
        ("id", Form::Text, "DAA--D--"),
        ("appId", Form::Text, "DAA--D--"),
        ("displayName", Form::Text, "DAA--DDA"),
    ],
};

/// `appRoleAssignedTo` takes nothing else (section 5.8).
pub(super) const ASSIGNED_TO: Rules =
    Rules { resource: "AppRoleAssignment", rows: &[("principalDisplayName", Form::Text, "D-----D-")] };

/// `appRoleAssignments` of a user or group: `resourceId eq …` (graph/075 of the corpus).
pub(super) const ASSIGNMENTS: Rules =
    Rules { resource: "AppRoleAssignment", rows: &[("resourceId", Form::Guid, "D-------")] };

impl Rules {
    fn row(&self, path: &str) -> Option<&Row> {
        let matches = |name: &str| match name.strip_suffix('*') {
            Some(head) => path.starts_with(head),
            None => name == path,
        };
        self.rows.iter().find(|(name, ..)| matches(name))
    }

    /// Refuses what cannot be asked, or not without an advanced query.
    pub(super) fn check(&self, expression: &Expression, advanced: bool) -> Result<(), Answer> {
        let count = alternatives(expression);
        if count > ALTERNATIVES_MAX && !advanced {
            return Err(bad_request(&format!(
                "Too many child clauses specified in search filter expression containing 'OR' operators: \
                 {count}. Max allowed: {ALTERNATIVES_MAX}"
            )));
        }
        if depth(expression) > DEPTH_MAX {
            let message = format!("The filter is nested too deeply. Max depth allowed: {DEPTH_MAX}");
            return Err(bad_request(&message));
        }
        self.check_below(expression, advanced, false)
    }

    fn check_below(&self, expression: &Expression, advanced: bool, negated: bool) -> Result<(), Answer> {
        match expression {
            Expression::Any(parts) | Expression::All(parts) => {
                parts.iter().try_for_each(|part| self.check_below(part, advanced, negated))
            }
            Expression::Not(inner) => self.check_below(inner, advanced, true),
            Expression::Test(test) => self.check_test(test, advanced, negated),
        }
    }

    fn check_test(&self, test: &Test, advanced: bool, negated: bool) -> Result<(), Answer> {
        let Some((_, form, support)) = self.row(&test.path) else { return Err(self.unsupported(&test.path)) };
        let mut needed = vec![('D', "")];
        match &test.operator {
            Operator::Any(inner) => {
                if !matches!(form, Form::Texts | Form::Identities) {
                    return Err(self.unsupported(&test.path));
                }
                // `NOT(…any(…))` is the way to negate a list (section 5.12).
                if negated {
                    needed.push(('A', "not"));
                }
                let tests = leaves(inner);
                if *form == Form::Identities && !asks_both(&tests) {
                    return Err(self.unsupported(&test.path));
                }
                needed.extend(tests.iter().map(|test| column(&test.operator, &test.values, support)));
            }
            Operator::Count { .. } => needed.push(('A', "$count")),
            operator => {
                if matches!(form, Form::Texts | Form::Identities) {
                    return Err(self.unsupported(&test.path));
                }
                if negated {
                    needed.push((at(support, 2), "not"));
                }
                needed.push(column(operator, &test.values, support));
                if !test.values.iter().all(|value| fits(*form, value)) {
                    let message = "A binary operator with incompatible types was detected.";
                    return Err(bad_request(message));
                }
            }
        }
        match needed.into_iter().find(|(support, _)| *support == '-' || (*support == 'A' && !advanced)) {
            None => Ok(()),
            Some(('A', operator)) => Err(needs_parameters(operator)),
            Some(_) => Err(self.unsupported(&test.path)),
        }
    }

    fn unsupported(&self, path: &str) -> Answer {
        if self.resource == ASSIGNED_TO.resource {
            return bad_request(&format!("Invalid filter clause {path}: System.String"));
        }
        let message = format!(
            "Unsupported or invalid query filter clause specified for property '{path}' of resource '{}'.",
            self.resource
        );
        error(400, "Request_UnsupportedQuery", &message)
    }
}

/// 400 of an advanced query without its two parameters.
pub(super) fn needs_parameters(operator: &str) -> Answer {
    let message = format!(
        "Operator '{operator}' is not supported because the required parameters might be missing. Try adding \
         $count=true query parameter and ConsistencyLevel:eventual header. Refer to \
         https://aka.ms/graph-docs/advanced-queries for more information"
    );
    error(400, "Request_UnsupportedQuery", &message)
}

fn at(support: &str, column: usize) -> char {
    support.chars().nth(column).unwrap_or('-')
}

/// How an operator is supported, and its name.
fn column(operator: &Operator, values: &[Literal], support: &str) -> (char, &'static str) {
    if values == [Literal::Null] {
        let tested = matches!(operator, Operator::Eq | Operator::Ne);
        return (if tested { at(support, 7) } else { '-' }, "null");
    }
    match operator {
        Operator::Eq => (at(support, 0), "eq"),
        Operator::Ne => (at(support, 1), "ne"),
        Operator::Ge => (at(support, 3), "ge"),
        Operator::Le => (at(support, 4), "le"),
        Operator::In => (at(support, 5), "in"),
        Operator::StartsWith => (at(support, 6), "startsWith"),
        Operator::EndsWith => (if support.ends_with('E') { 'A' } else { '-' }, "endsWith"),
        Operator::Foreign(name) => ('-', name),
        Operator::Any(_) | Operator::Count { .. } => ('-', "any"),
    }
}

fn fits(form: Form, value: &Literal) -> bool {
    match (form, value) {
        (_, Literal::Null) | (Form::Text | Form::Texts | Form::Identities, Literal::Text(_)) => true,
        (Form::Flag, Literal::Flag(_)) | (Form::Guid, Literal::Bare(_)) => true,
        (Form::Date, Literal::Bare(text)) => text.parse::<jiff::Timestamp>().is_ok(),
        _ => false,
    }
}

/// An identity is asked for by issuer and issuerAssignedId together.
fn asks_both(tests: &[&Test]) -> bool {
    let asks = |name: &str| tests.iter().any(|test| test.path == name && test.operator == Operator::Eq);
    asks("issuer") && asks("issuerAssignedId")
}

fn leaves(expression: &Expression) -> Vec<&Test> {
    match expression {
        Expression::Any(parts) | Expression::All(parts) => parts.iter().flat_map(leaves).collect(),
        Expression::Not(inner) => leaves(inner),
        Expression::Test(test) => vec![test],
    }
}

/// The longest `or` or `in`.
fn alternatives(expression: &Expression) -> usize {
    match expression {
        Expression::Any(parts) => parts.iter().map(|part| alternatives(part).max(1)).sum(),
        Expression::All(parts) => parts.iter().map(alternatives).max().unwrap_or(1),
        Expression::Not(inner) => alternatives(inner),
        Expression::Test(test) => test.values.len().max(1),
    }
}

fn depth(expression: &Expression) -> usize {
    match expression {
        Expression::Any(parts) | Expression::All(parts) => {
            1 + parts.iter().map(depth).max().unwrap_or_default()
        }
        Expression::Not(inner) => 1 + depth(inner),
        Expression::Test(_) => 0,
    }
}

/// The ids of a delta filter: `id eq 'a' or id eq 'b'`, at most fifty.
pub(super) fn delta_ids(expression: Expression) -> Result<Vec<String>, Answer> {
    let tests = match expression {
        Expression::Any(parts) => parts,
        single => vec![single],
    };
    let id_of = |expression: Expression| match expression {
        Expression::Test(Test { path, operator: Operator::Eq, values }) if path == "id" => {
            match values.into_iter().next() {
                Some(Literal::Text(id)) => Some(id.to_lowercase()),
                _ => None,
            }
        }
        _ => None,
    };
    match tests.into_iter().map(id_of).collect::<Option<Vec<String>>>() {
        None => Err(bad_request("Invalid filter clause: a delta query filters by id only.")),
        Some(ids) if ids.len() > DELTA_IDS_MAX => Err(bad_request(&format!(
            "Too many ids in the filter: {}. Max allowed: {DELTA_IDS_MAX}",
            ids.len()
        ))),
        Some(ids) => Ok(ids),
    }
}
