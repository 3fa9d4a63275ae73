//! An administrator's `$filter`: which form of query it needs, and how one with too many alternatives is cut
//! (graph.md sections 4 and 5.12).

/// Alternatives that Graph takes in one filter.
const ALTERNATIVES_MAX: usize = 15;

/// Properties that can be filtered in the advanced form only, in every row of graph.md 5.12.
const ADVANCED: [&str; 11] = [
    "companyName",
    "employeeHireDate",
    "employeeType",
    "mobilePhone",
    "officeLocation",
    "onPremisesExtensionAttributes",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesSamAccountName",
    "postalCode",
    "streetAddress",
];

/// Whether the filter needs `ConsistencyLevel: eventual` and `$count=true`: the operators `ne`, `not`, `endsWith`,
/// tests for null and of counts, and some properties. What is not known here is found out by asking.
pub(super) fn is_advanced(filter: &str) -> bool {
    let bare = unquoted(filter);
    let mut words = bare.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '$');
    words.any(|word| {
        let lower = word.to_ascii_lowercase();
        matches!(lower.as_str(), "ne" | "not" | "endswith" | "$count" | "null") || ADVANCED.contains(&word)
    })
}

/// The filter in pieces that together select the same, each with at most fifteen alternatives. A filter whose
/// alternatives lie deeper stays whole: Graph says what it thinks of it.
pub(super) fn pieces(filter: &str) -> Vec<String> {
    let clauses: Vec<String> =
        alternatives(filter).into_iter().flat_map(|clause| short_lists(&clause)).collect();
    let mut pieces: Vec<(String, usize)> = Vec::new();
    for clause in clauses {
        let weight = items(&clause).map_or(1, |(_, items)| items.len());
        match pieces.last_mut() {
            Some((piece, sum)) if *sum + weight <= ALTERNATIVES_MAX => {
                *piece = format!("{piece} or {clause}");
                *sum += weight;
            }
            _ => pieces.push((clause, weight)),
        }
    }
    pieces.into_iter().map(|(piece, _)| piece).collect()
}

/// Cut at every `or` that stands in no parentheses and no quotes.
fn alternatives(filter: &str) -> Vec<String> {
    let bytes = filter.as_bytes();
    let (mut clauses, mut begin, mut depth, mut quoted) = (Vec::new(), 0, 0_u32, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            b' ' if !quoted && depth == 0 && at >= begin => {
                let or = bytes.get(at + 1..at + 4).is_some_and(|word| word.eq_ignore_ascii_case(b"or "));
                if or {
                    clauses.push(filter[begin..at].trim().to_owned());
                    begin = at + 4;
                }
            }
            _ => {}
        }
    }
    clauses.push(filter.get(begin..).unwrap_or_default().trim().to_owned());
    clauses
}

/// `name in ('a','b',…)` with more items than may be, as several of them.
fn short_lists(clause: &str) -> Vec<String> {
    match items(clause) {
        Some((name, items)) if items.len() > ALTERNATIVES_MAX => {
            items.chunks(ALTERNATIVES_MAX).map(|items| format!("{name} in ({})", items.join(","))).collect()
        }
        _ => vec![clause.to_owned()],
    }
}

/// The property and the items of a clause that is a list and nothing else.
fn items(clause: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = clause.split_once(' ')?;
    let list = rest.trim_start().strip_prefix("in")?.trim_start().strip_prefix('(')?;
    let (mut items, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b',' if !quoted => {
                items.push(list[begin..at].trim());
                begin = at + 1;
            }
            b')' if !quoted => {
                items.push(list[begin..at].trim());
                return list[at + 1..].trim().is_empty().then_some((name, items));
            }
            _ => {}
        }
    }
    None
}

/// Without what stands in quotes.
fn unquoted(filter: &str) -> String {
    filter.split('\'').step_by(2).collect::<Vec<_>>().join(" ")
}

/// For a place behind `$filter=` (graph.md section 4): everything that is not plain is escaped.
pub(super) fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b'\'' | b'(' | b')' | b',' | b'$' | b':' | b'@' | b'*' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_from_operators_and_properties_outside_quotes() {
        for (filter, advanced) in [
            ("department eq 'Sales'", false),
            ("startswith(displayName,'app-')", false),
            ("department eq 'not null ne'", false),
            ("groupTypes/any(c:c eq 'Unified')", false),
            ("department ne 'Sales'", true),
            ("NOT(startswith(displayName,'x'))", true),
            ("endsWith(mail,'@x.example')", true),
            ("companyName eq 'Acme'", true),
            ("onPremisesExtensionAttributes/extensionAttribute1 eq 'x'", true),
            ("assignedLicenses/$count eq 0", true),
            ("city eq null", true),
            ("displayName eq 'O''Brien' or mail ne 'a'", true),
        ] {
            assert_eq!(is_advanced(filter), advanced, "{filter}");
        }
    }

    #[test]
    fn a_filter_within_the_limit_stays_as_it_is() {
        for filter in [
            "department eq 'Sales or Support'",
            "(department eq 'A' or department eq 'B') and accountEnabled eq true",
            "id in ('a','b,c')",
        ] {
            assert_eq!(pieces(filter), [filter]);
        }
    }

    #[test]
    fn sixteen_alternatives_are_two_pieces() {
        let clauses: Vec<String> = (0..16).map(|n| format!("displayName eq 'a or b''{n}'")).collect();
        let cut = pieces(&clauses.join(" or "));
        assert_eq!(cut, [clauses[..15].join(" or "), clauses[15].clone()]);
        let names: Vec<String> = (0..31).map(|n| format!("'n,{n}'")).collect();
        let cut = pieces(&format!("displayName in ({})", names.join(", ")));
        assert_eq!(cut.len(), 3);
        assert_eq!(cut[2], "displayName in ('n,30')");
    }

    #[test]
    fn alternatives_that_lie_deeper_are_not_cut() {
        let deep: Vec<String> = (0..16).map(|n| format!("city eq '{n}'")).collect();
        let filter = format!("accountEnabled eq true and ({})", deep.join(" or "));
        assert_eq!(pieces(&filter), std::slice::from_ref(&filter));
    }

    #[test]
    fn nothing_in_a_filter_can_become_another_option() {
        assert_eq!(escaped("displayName eq 'A&B+C#D'"), "displayName%20eq%20'A%26B%2BC%23D'");
    }
}
