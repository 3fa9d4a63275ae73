//! Whether an object matches a `$filter` (graph.md section 5.12).

use jiff::Timestamp;
use serde_json::Value;

use super::filter::Expression;
use super::filter::Literal;
use super::filter::Operator;
use super::filter::Test;

/// How texts are compared: without regard to case, unless a knob says otherwise (UNCONFIRMED 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Ignored,
    Kept,
}

/// Whether the object matches, whose properties `value_of` tells.
pub(super) fn matches(expression: &Expression, case: Case, value_of: &dyn Fn(&str) -> Option<Value>) -> bool {
    match expression {
        Expression::Any(parts) => parts.iter().any(|part| matches(part, case, value_of)),
        Expression::All(parts) => parts.iter().all(|part| matches(part, case, value_of)),
        Expression::Not(inner) => !matches(inner, case, value_of),
        Expression::Test(test) => holds(test, case, value_of),
    }
}

fn holds(test: &Test, case: Case, value_of: &dyn Fn(&str) -> Option<Value>) -> bool {
    let value = match test.path.split_once('/') {
        Some((whole, part)) => value_of(whole).and_then(|value| value.get(part).cloned()),
        None => value_of(&test.path),
    };
    let value = value.filter(|value| !value.is_null());
    let elements = || value.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match &test.operator {
        Operator::Any(inner) => elements().iter().any(|element| {
            let part = |path: &str| match path {
                "" => Some(element.clone()),
                path => element.get(path).cloned(),
            };
            matches(inner, case, &part)
        }),
        Operator::Count { equal } => {
            let count = elements().len().to_string();
            let is_so = test.values.iter().any(|value| *value == Literal::Bare(count.clone()));
            is_so == *equal
        }
        Operator::Ne => {
            !test.values.iter().any(|wanted| compares(value.as_ref(), &Operator::Eq, wanted, case))
        }
        Operator::In => {
            test.values.iter().any(|wanted| compares(value.as_ref(), &Operator::Eq, wanted, case))
        }
        operator => test.values.iter().any(|wanted| compares(value.as_ref(), operator, wanted, case)),
    }
}

fn compares(value: Option<&Value>, operator: &Operator, wanted: &Literal, case: Case) -> bool {
    let Some(value) = value else { return *wanted == Literal::Null && *operator == Operator::Eq };
    let folded = |text: &str| match case {
        Case::Ignored => text.to_lowercase(),
        Case::Kept => text.to_owned(),
    };
    match (wanted, value) {
        (Literal::Flag(wanted), Value::Bool(value)) => match operator {
            Operator::Eq => value == wanted,
            Operator::Ge => value >= wanted,
            Operator::Le => value <= wanted,
            _ => false,
        },
        (Literal::Text(wanted), Value::String(value)) => {
            let (value, wanted) = (folded(value), folded(wanted));
            match operator {
                Operator::Eq => value == wanted,
                Operator::Ge => value >= wanted,
                Operator::Le => value <= wanted,
                Operator::StartsWith => value.starts_with(&wanted),
                Operator::EndsWith => value.ends_with(&wanted),
                _ => false,
            }
        }
        (Literal::Bare(wanted), Value::String(value)) => {
            match (value.parse::<Timestamp>(), wanted.parse::<Timestamp>()) {
                (Ok(value), Ok(wanted)) => match operator {
                    Operator::Eq => value == wanted,
                    Operator::Ge => value >= wanted,
                    Operator::Le => value <= wanted,
                    _ => false,
                },
                _ => *operator == Operator::Eq && value.eq_ignore_ascii_case(wanted),
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::filter::parse;
    use super::*;

    fn person(name: &str) -> Option<Value> {
        match name {
            "displayName" => Some(json!("Siobhán O'Brien")),
            "mail" => Some(json!("siobhan@acme.example")),
            "accountEnabled" => Some(json!(true)),
            "createdDateTime" => Some(json!("2026-01-02T03:04:05Z")),
            "proxyAddresses" => Some(json!(["SMTP:siobhan@acme.example", "smtp:sio@acme.example"])),
            "onPremisesExtensionAttributes" => Some(json!({ "extensionAttribute1": "x" })),
            "identities" => Some(json!([{ "issuer": "acme.example", "issuerAssignedId": "7" }])),
            _ => None,
        }
    }

    #[test]
    fn every_form_of_the_language_tells_a_match_from_none() {
        for (filter, expected) in [
            ("displayName eq 'siobhán o''brien'", true),
            ("displayName eq 'Siobhan'", false),
            ("displayName ne 'Siobhan'", true),
            ("startswith(displayName,'Sio')", true),
            ("endsWith(mail,'@ACME.example')", true),
            ("displayName in ('A','Siobhán O''Brien')", true),
            ("accountEnabled eq true and displayName eq 'A'", false),
            ("accountEnabled eq false or not (displayName eq 'A')", true),
            ("createdDateTime ge 2026-01-01T00:00:00Z", true),
            ("createdDateTime le 2026-01-01T00:00:00Z", false),
            ("proxyAddresses/any(p:startswith(p,'smtp:sio@'))", true),
            ("NOT(proxyAddresses/any(p:p eq 'smtp:x'))", true),
            ("proxyAddresses/$count eq 2", true),
            ("otherMails/$count ne 0", false),
            ("jobTitle eq null", true),
            ("jobTitle ne null", false),
            ("mail ne null", true),
            ("onPremisesExtensionAttributes/extensionAttribute1 eq 'X'", true),
            ("identities/any(i:i/issuer eq 'acme.example' and i/issuerAssignedId eq '7')", true),
            ("identities/any(i:i/issuer eq 'acme.example' and i/issuerAssignedId eq '8')", false),
        ] {
            let parsed = parse(filter).unwrap();
            assert_eq!(matches(&parsed, Case::Ignored, &person), expected, "{filter}");
        }
    }

    #[test]
    fn a_knob_makes_texts_differ_by_case() {
        let parsed = parse("displayName eq 'siobhán o''brien'").unwrap();
        assert!(!matches(&parsed, Case::Kept, &person));
    }
}
