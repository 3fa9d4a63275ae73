//! What holds of every expression, tried with random ones: printing and parsing are inverse, evaluation ends, never
//! panics and keeps its bounds.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::EVALUATION_BYTES_MAX;
use super::Expression;
use super::OUTPUT_BYTES_MAX;
use super::Value;
use super::functions;
use super::testing::environment;
use super::tree::Call;
use super::tree::Comparison;
use super::tree::Node;
use super::tree::Operator;

/// Cases of each law: about a second.
const CASES: u32 = 300;

/// Texts that mean something to some function, and any others.
fn text() -> impl Strategy<Value = String> {
    let telling = select(vec![
        "",
        " ",
        "a",
        "-1",
        "0",
        "3",
        "99999999999999999999",
        "d",
        "yyyy-MM-dd",
        "2020-03-16T07:00:00Z",
        "9999-12-31",
        "True",
        "(a*)*b",
        "(?<n>.)",
        "[",
        "$1${n}$&",
        "tr-TR",
        "ß İ ǅ",
        "{\"value\":\"x\"}",
        "e\u{301}\u{301}",
        "\\\"",
    ]);
    prop_oneof![telling.prop_map(str::to_owned), any::<String>()]
}

fn leaf() -> impl Strategy<Value = Node> {
    prop_oneof![
        Just(Node::Empty),
        text().prop_map(Node::Text),
        any::<i64>().prop_map(|number| Node::Number(number.to_string())),
        select(functions::CONSTANTS.to_vec()).prop_map(Node::Word),
        select(vec!["a", "b", "long", "list", "none", "user.first Name"])
            .prop_map(|name| Node::Attribute(name.to_owned())),
    ]
}

fn operator() -> impl Strategy<Value = Operator> {
    use Operator as Is;
    select(vec![Is::Equal, Is::NotEqual, Is::Greater, Is::GreaterOrEqual, Is::Less, Is::LessOrEqual])
}

/// Counterexamples are told as they are written.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Any tree of calls, sound or not.
fn call() -> impl Strategy<Value = Call> {
    let node = leaf().prop_recursive(4, 40, 6, |inner| {
        let compared = (inner.clone(), operator(), inner.clone()).prop_map(|(left, operator, right)| {
            Node::Comparison(Box::new(Comparison { left, operator, right }))
        });
        prop_oneof![6 => of(inner).prop_map(Node::Call), 1 => compared]
    });
    of(node)
}

fn of(arguments: impl Strategy<Value = Node>) -> impl Strategy<Value = Call> {
    (select((0..functions::TABLE.len()).collect::<Vec<_>>()), vec(arguments, 0..7)).prop_map(
        |(place, mut arguments)| {
            let function = &functions::TABLE[place];
            let fitting = arguments.len().clamp(function.least, function.most.min(7));
            arguments.resize(fitting, Node::Text("x".to_owned()));
            if let [only @ Node::Empty] = arguments.as_mut_slice() {
                *only = Node::Text(String::new()); // `f()` has no argument at all.
            }
            Call { function, arguments, pattern: None }
        },
    )
}

/// Whether a tree is an expression, by what the table says of its calls: what is refused for no other reason was printed
/// wrong.
fn is_sound(call: &Call, outermost: bool) -> bool {
    let operand = |node: &Node| match node {
        Node::Empty | Node::Comparison(_) => false,
        Node::Call(inner) => is_sound(inner, false),
        _ => true,
    };
    let argument = |(place, node): (usize, &Node)| match node {
        Node::Empty => true,
        Node::Comparison(sides) => {
            call.function.condition && place == 0 && operand(&sides.left) && operand(&sides.right)
        }
        node => operand(node),
    };
    (outermost || !call.function.outermost)
        && call.function.check(&call.arguments).is_ok()
        && call.arguments.iter().enumerate().all(argument)
}

fn lookup(name: &str) -> Value {
    match name {
        "a" => Value::One("Zoë O'Hara (2020-03-16)".to_owned()),
        "b" => Value::One("7".to_owned()),
        "long" => Value::One("a".repeat(60_000)),
        "list" => Value::list((0..2_000).map(|n| n.to_string())),
        _ => Value::Null,
    }
}

fn evaluated(expression: &Expression) -> Result<(), TestCaseError> {
    if let Ok(value) = expression.evaluate(&lookup, &environment()) {
        prop_assert!(value.bytes() <= OUTPUT_BYTES_MAX);
        prop_assert!(!matches!(&value, Value::Many(list) if list.is_empty()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_parsed_as_it_was(call in call()) {
        let printed = call.to_string();
        let parsed = Expression::parse(&printed);
        prop_assert_eq!(parsed.is_ok(), is_sound(&call, true), "{:?}", parsed);
        if let Ok(parsed) = parsed {
            prop_assert!(parsed.call == call, "{printed}");
            prop_assert_eq!(parsed.to_string(), printed);
            prop_assert!(parsed.hints().is_empty());
            evaluated(&parsed)?;
        }
    }

    #[test]
    fn any_text_is_an_expression_or_is_refused_at_a_place_within_it(text in any::<String>()) {
        match Expression::parse(&text) {
            Ok(parsed) => evaluated(&parsed)?,
            Err(error) => prop_assert!(error.position <= text.chars().count()),
        }
    }

    #[test]
    fn broken_expressions_are_refused_at_a_place_within_them(call in call(), cut in any::<prop::sample::Index>()) {
        let printed: Vec<char> = call.to_string().chars().collect();
        let cut = cut.index(printed.len());
        let broken: String = printed.iter().take(cut).chain(printed.iter().skip(cut + 1)).collect();
        if let Err(error) = Expression::parse(&broken) {
            prop_assert!(error.position <= broken.chars().count());
            prop_assert!(!error.caret(&broken).is_empty());
        }
    }
}

/// Random trees are often refused; these are sound by themselves.
#[test]
fn enough_random_trees_are_sound() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut tree = || call().new_tree(&mut runner).expect("a tree").current().to_string();
    let sound = (0..300).filter(|_| Expression::parse(&tree()).is_ok()).count();
    assert!(sound > 30, "only {sound} of 300 parse");
}

#[test]
fn an_expression_that_would_handle_too_much_is_stopped() {
    let many = vec![r#"Left([long], 60000)"#; 40].join(", ");
    let text = format!("Count(Coalesce(IsPresent(Join(\"\", {many}))))");
    let expression = Expression::parse(&text).expect("parses");
    let error = expression.evaluate(&lookup, &environment()).expect_err("too much");
    assert!(error.text.contains("longer than") || error.text.contains(&EVALUATION_BYTES_MAX.to_string()));
    let text = format!("Coalesce({}, \"x\")", vec![r#"IIF([long]="y", "a")"#; 400].join(", "));
    let error = Expression::parse(&text).expect("parses").evaluate(&lookup, &environment());
    assert_eq!(
        error.expect_err("too much").text,
        format!("the expression handles more than {EVALUATION_BYTES_MAX} bytes of text; make it simpler")
    );
}
