//! Our filter parser against that of the crate `scim_v2`, which has another author and another method (an LR grammar):
//! what both take they structure alike, and where only one of them takes a text, the difference is listed here.
//!
//! | only | takes | because |
//! |---|---|---|
//! | we | `not(…)` without a space | RFC 7644 figure 1: `*1"not" "(" FILTER ")"` |
//! | we | names that begin with `$` | RFC 7643 section 2.4 has `$ref`, which figure 1 leaves out |
//! | we | `emails[type eq "work"].value eq "x"` and `emails[…] pr` | Entra sends the first; `Filter::check` refuses both to the strict dialect |
//! | we | attributes that are called `not`, `true` or `null` | figure 1: ATTRNAME leaves no word out |
//! | `scim_v2` | line ends for spaces | figure 1: `SP` is a space |
//! | `scim_v2` | `emails[name.x eq 1]` | RFC 7643 section 2.3.8: a complex value holds no complex values |
//! | `scim_v2` | names of a longer URN split elsewhere | RFC 7643 section 3.3: an extension's attribute follows its whole URN |

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use rosterd::scim::Compare;
use rosterd::scim::Filter;
use rosterd::scim::Path;
use scim_v2::filter as theirs;
use serde_json::Value;

fn path(attribute: &theirs::AttrPath) -> Path {
    Path::parse(&attribute.to_string()).unwrap_or_else(|problem| panic!("{attribute}: {problem}"))
}

fn operator(op: &theirs::CompareOp) -> Compare {
    match op {
        theirs::CompareOp::Eq => Compare::Eq,
        theirs::CompareOp::Ne => Compare::Ne,
        theirs::CompareOp::Co => Compare::Co,
        theirs::CompareOp::Sw => Compare::Sw,
        theirs::CompareOp::Ew => Compare::Ew,
        theirs::CompareOp::Gt => Compare::Gt,
        theirs::CompareOp::Ge => Compare::Ge,
        theirs::CompareOp::Lt => Compare::Lt,
        theirs::CompareOp::Le => Compare::Le,
    }
}

fn value(value: &theirs::CompValue) -> Value {
    match value {
        theirs::CompValue::False => false.into(),
        theirs::CompValue::True => true.into(),
        theirs::CompValue::Null => Value::Null,
        theirs::CompValue::Number(number) => Value::Number(number.clone()),
        theirs::CompValue::Str(text) => text.as_str().into(),
    }
}

/// An attribute expression; within brackets the name is a sub-attribute of `outer`.
fn expression(expression: &theirs::AttrExp, outer: Option<&Path>) -> Filter {
    let place = |attribute: &theirs::AttrPath| match outer {
        Some(outer) => {
            let inside = Path::parse(&format!("{outer}.{attribute}"));
            inside.unwrap_or_else(|problem| panic!("{attribute}: {problem}"))
        }
        None => path(attribute),
    };
    match expression {
        theirs::AttrExp::Present(attribute) => Filter::Present(place(attribute)),
        theirs::AttrExp::Comparison(attribute, op, literal) => {
            Filter::Compare { path: place(attribute), op: operator(op), value: value(literal) }
        }
    }
}

fn whole(filter: &theirs::Filter) -> Filter {
    match filter {
        theirs::Filter::Attr(attribute) => expression(attribute, None),
        theirs::Filter::ValuePath(value) => {
            let outer = path(&value.attr);
            let select = Some(Box::new(inside(&value.filter, &outer)));
            Filter::Present(Path { select, ..outer })
        }
        theirs::Filter::Not(part) => Filter::Not(Box::new(whole(part))),
        theirs::Filter::And(parts) => Filter::And(parts.as_slice().iter().map(whole).collect()),
        theirs::Filter::Or(parts) => Filter::Or(parts.as_slice().iter().map(whole).collect()),
    }
}

fn inside(filter: &theirs::ValFilter, outer: &Path) -> Filter {
    let all = |parts: &[theirs::ValFilter]| parts.iter().map(|part| inside(part, outer)).collect();
    match filter {
        theirs::ValFilter::Attr(attribute) => expression(attribute, Some(outer)),
        theirs::ValFilter::Not(part) => Filter::Not(Box::new(inside(part, outer))),
        theirs::ValFilter::And(parts) => Filter::And(all(parts.as_slice())),
        theirs::ValFilter::Or(parts) => Filter::Or(all(parts.as_slice())),
    }
}

/// As `scim_v2` has it: brackets that only repeat the operator around them are gone.
fn flat(filter: Filter) -> Filter {
    let spread = |parts: Vec<Filter>, same: fn(Filter) -> Result<Vec<Filter>, Filter>| {
        parts.into_iter().map(flat).flat_map(|part| same(part).unwrap_or_else(|other| vec![other])).collect()
    };
    match filter {
        Filter::And(parts) => Filter::And(spread(parts, |part| match part {
            Filter::And(parts) => Ok(parts),
            other => Err(other),
        })),
        Filter::Or(parts) => Filter::Or(spread(parts, |part| match part {
            Filter::Or(parts) => Ok(parts),
            other => Err(other),
        })),
        Filter::Not(part) => Filter::Not(Box::new(flat(*part))),
        Filter::Present(path) => Filter::Present(flat_path(path)),
        Filter::Compare { path, op, value } => Filter::Compare { path: flat_path(path), op, value },
    }
}

fn flat_path(path: Path) -> Path {
    Path { select: path.select.map(|select| Box::new(flat(*select))), ..path }
}

/// Words of filters with one space between them, so that only the grammar decides.
fn words() -> impl Strategy<Value = String> {
    let words = [
        "userName",
        "name.givenName",
        "title",
        "and",
        "or",
        "AND",
        "not",
        "eq",
        "Ne",
        "co",
        "pr",
        "\"x\"",
        "\"a\\\"b\"",
        "true",
        "null",
        "5",
        "-1.5",
        "01",
        "'x'",
        "(",
        ")",
        "emails[type",
        "emails[",
        "]",
        "value",
        "a.b.c",
        "1a",
    ];
    prop::collection::vec(select(words.to_vec()), 1..12).prop_map(|words| {
        words.join(" ").replace("( ", "(").replace(" )", ")").replace(" ]", "]").replace("[ ", "[")
    })
}

/// Filters that are sound.
fn sound() -> impl Strategy<Value = String> {
    let path = select(vec![
        "userName",
        "USERNAME",
        "name.familyName",
        "emails.type",
        "shoeSize",
        "meta.lastModified",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    ]);
    let op = select(vec!["eq", "NE", "Co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let literal = select(vec!["\"x\"", "\"\\u00e9\\n\"", "true", "false", "null", "0", "-12.5", "1e3"]);
    let term = prop_oneof![
        (path.clone(), op.clone(), literal.clone())
            .prop_map(|(path, op, literal)| format!("{path} {op} {literal}")),
        path.prop_map(|path| format!("{path} pr")),
        (op, literal).prop_map(|(op, literal)| format!("emails[type {op} {literal} and not (value pr)]")),
    ];
    term.prop_recursive(4, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" and ")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" OR ")),
            inner.clone().prop_map(|part| format!("({part})")),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

/// What only we take, by the table.
fn is_ours(text: &str) -> bool {
    let operators = ["eq", "Ne", "co", "pr"];
    let word = |word: &&str| operators.iter().any(|op| text.contains(&format!("{word} {op}")));
    text.contains("not(") || ["]", "not", "true", "null"].iter().any(word)
}

proptest! {
    #![proptest_config(Config { cases: 2000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_sound_filter_has_one_structure(text in sound()) {
        let theirs: theirs::Filter = text.parse().expect("scim_v2 takes it");
        prop_assert_eq!(Filter::parse(&text).map(flat), Ok(whole(&theirs)));
    }

    #[test]
    fn what_one_parser_takes_and_the_other_does_not_is_listed(text in words()) {
        match (text.parse::<theirs::Filter>(), Filter::parse(&text)) {
            (Ok(theirs), ours) => prop_assert_eq!(ours.map(flat), Ok(whole(&theirs)), "{}", text),
            (Err(_), Ok(ours)) => prop_assert!(is_ours(&text), "only we take {text}: {ours:?}"),
            (Err(_), Err(_)) => {}
        }
    }
}

#[test]
fn the_differences_are_as_listed() {
    for (text, ours, others) in [
        ("not(title pr)", true, false),
        ("members.$ref pr", true, false),
        ("emails[type eq \"work\"].value eq \"x\"", true, false),
        ("emails[type eq \"work\"] pr", true, false),
        ("not pr", true, false),
        ("null eq 1", true, false),
        ("title\npr", false, true),
        ("emails[name.x eq 1]", false, true),
    ] {
        assert_eq!(Filter::parse(text).is_ok(), ours, "we: {text}");
        assert_eq!(text.parse::<theirs::Filter>().is_ok(), others, "scim_v2: {text}");
    }
}
