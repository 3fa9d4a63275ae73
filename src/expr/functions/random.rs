//! Functions that draw by chance: from the seed of the evaluation, so that the same seed gives the same.

use blake3::OutputReader;

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;
use super::Refusal;

const LENGTH_MAX: usize = 256;

const DIGITS: &str = "0123456789";
/// The documentation does not say which; these need no escape in JSON, URLs' queries or shells' double quotes.
const SPECIALS: &str = "!#%*+-.:=?@_~";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";

/// A random UUID (RFC 9562 section 5.4), lower case with hyphens.
pub(super) fn guid(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let mut bytes = [0; 16];
    arguments.draw().fill(&mut bytes);
    let bits = u128::from_be_bytes(bytes) & !(0xF << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62);
    let digits = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (place, digit) in digits.chars().enumerate() {
        if [8, 12, 16, 20].contains(&place) {
            text.push('-');
        }
        text.push(digit);
    }
    Ok(Value::One(text))
}

/// The wanted numbers of digits, special, upper and lower letters, the rest letters and digits, in any order.
pub(super) fn random_string(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let count =
        |place: usize| -> Result<i64, EvalError> { Ok(arguments.integer(place)?.unwrap_or_default()) };
    let counts = [count(0)?, count(1)?, count(2)?, count(3)?, count(4)?];
    let [length, minima @ ..] = sizes(counts).map_err(|text| arguments.error(text))?;
    let avoided = arguments.text(5)?.unwrap_or_default();
    let among = |letters: &[&str]| -> Vec<char> {
        letters.concat().chars().filter(|letter| !avoided.contains(*letter)).collect()
    };
    let mut draw = Draw(arguments.draw());
    let mut text: Vec<char> = Vec::with_capacity(length);
    let families = [DIGITS, SPECIALS, UPPER, LOWER].map(|family| among(&[family]));
    let rest = length - minima.iter().sum::<usize>();
    let wanted = families.iter().zip(minima);
    for (letters, count) in wanted.chain([(&among(&[DIGITS, UPPER, LOWER]), rest)]) {
        for _ in 0..count {
            let letter = draw.one(letters).ok_or_else(|| arguments.error(NOTHING_LEFT))?;
            text.push(letter);
        }
    }
    draw.shuffle(&mut text);
    Ok(Value::One(text.into_iter().collect()))
}

const NOTHING_LEFT: &str = "of one kind of characters that it needs, all are to be avoided";

/// Length and minima, as sizes that fit each other.
fn sizes(counts: [i64; 5]) -> Result<[usize; 5], String> {
    let sizes = counts.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    let [length, minima @ ..] = sizes;
    let needed = minima.iter().fold(0_usize, |sum, size| sum.saturating_add(*size));
    if length <= LENGTH_MAX && needed <= length {
        return Ok(sizes);
    }
    Err(format!("the length is {LENGTH_MAX} at most, and not less than what its minima need together"))
}

pub(super) fn check(arguments: &[Node]) -> Result<(), Refusal> {
    let number = |place: usize| -> Option<i64> { super::integer(arguments.get(place)?.literal()?) };
    let counts = [number(0), number(1), number(2), number(3), number(4)];
    match counts {
        [Some(a), Some(b), Some(c), Some(d), Some(e)] => {
            sizes([a, b, c, d, e]).map(drop).map_err(|text| Refusal::argument(0, text))
        }
        _ => Ok(()),
    }
}

struct Draw(OutputReader);

impl Draw {
    /// One of so many, each as likely as the others: what would make the last ones rarer is drawn again.
    fn below(&mut self, count: u32) -> u32 {
        let fair = u32::MAX - u32::MAX % count;
        loop {
            let mut bytes = [0; 4];
            self.0.fill(&mut bytes);
            let number = u32::from_le_bytes(bytes);
            if number < fair {
                return number % count;
            }
        }
    }

    fn one(&mut self, letters: &[char]) -> Option<char> {
        let count = u32::try_from(letters.len()).ok().filter(|count| *count > 0)?;
        letters.get(self.below(count) as usize).copied()
    }

    /// Fisher and Yates.
    fn shuffle(&mut self, letters: &mut [char]) {
        for place in (1..letters.len()).rev() {
            let other = self.below(place as u32 + 1) as usize;
            letters.swap(place, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::expr::Environment;
    use crate::expr::Expression;
    use crate::expr::Value;
    use crate::expr::testing::check;
    use crate::expr::testing::evaluated;

    fn drawn(text: &str, seed: u8) -> String {
        let environment = Environment { seed: [seed; 32], ..Environment::default() };
        let value = Expression::parse(text).expect(text).evaluate(&|_| Value::Null, &environment);
        value.expect(text).values().concat()
    }

    #[test]
    fn a_guid_is_a_random_uuid() {
        for seed in 0..50 {
            let guid = drawn("Guid()", seed);
            let parts: Vec<&str> = guid.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{guid}");
            assert!(parts[2].starts_with('4') && "89ab".contains(&parts[3][..1]), "{guid}");
            assert!(guid.chars().all(|c| c == '-' || "0123456789abcdef".contains(c)), "{guid}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_and_each_call_for_itself() {
        let two = "Join(\",\", Guid(), Guid())";
        assert_eq!(drawn(two, 1), drawn(two, 1));
        assert_ne!(drawn(two, 1), drawn(two, 2));
        let both = drawn(two, 1);
        let (one, other) = both.split_once(',').expect("two");
        assert_ne!(one, other);
        let mine = |object: &str, row: &str| Environment::default().of(object, row).seed;
        let seeds = BTreeSet::from([mine("ab", "c"), mine("a", "bc"), mine("ab", "d"), mine("x", "c")]);
        assert_eq!(seeds.len(), 4);
    }

    #[test]
    fn a_random_string_has_what_it_must_have() {
        let count = |text: &str, of: fn(&char) -> bool| text.chars().filter(of).count();
        for seed in 0..50 {
            let text = drawn("RandomString(6,3,0,0,3)", seed);
            assert_eq!(text.len(), 6);
            assert_eq!(count(&text, char::is_ascii_digit), 3, "{text}");
            assert_eq!(count(&text, char::is_ascii_lowercase), 3, "{text}");
            let text = drawn(r#"RandomString(20,2,3,4,5,"0Oo1lI")"#, seed);
            assert_eq!(text.len(), 20);
            assert_eq!(count(&text, char::is_ascii_punctuation), 3, "{text}");
            assert!(count(&text, char::is_ascii_uppercase) >= 4 && count(&text, char::is_ascii_digit) >= 2);
            assert!(!text.contains(['0', 'O', 'o', '1', 'l', 'I']), "{text}");
        }
        let all: BTreeSet<String> = (0..50).map(|seed| drawn("RandomString(8,0,0,0,0)", seed)).collect();
        assert_eq!(all.len(), 50);
    }

    #[test]
    fn a_random_string_that_cannot_be_is_refused() {
        let wrong =
            "RandomString: the length is 256 at most, and not less than what its minima need together";
        check("RandomString(257,0,0,0,0)", &[], &format!("parse error at 13: {wrong}"));
        check("RandomString(5,3,0,0,3)", &[], &format!("parse error at 13: {wrong}"));
        check("RandomString([n],0,0,0,-1)", &[("n", "5")], &format!("error: {wrong}"));
        let none = evaluated(r#"RandomString(5,3,0,0,0,"0123456789")"#, &[]);
        assert!(none.ends_with("all are to be avoided"), "{none}");
    }
}
