//! Filters as the strict services read them: a small reader of its own, for `eq` and what may stand around it.

use serde_json::Value;

use super::refusal::Done;
use super::refusal::Refusal;

/// A filter, read.
#[derive(Debug)]
pub enum Filter {
    /// Path, operator, value.
    Compare(String, String, Value),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    /// `emails[…]`: one element has all of it.
    Element(String, Box<Filter>),
}

impl Filter {
    pub fn read(text: &str) -> Done<Filter> {
        let mut words = words(text)?;
        words.reverse();
        let filter = either(&mut words)?;
        match words.pop() {
            None => Ok(filter),
            Some(word) => Err(bad(&format!("what is {word:?} for"))),
        }
    }

    /// The operators that it uses.
    pub fn operators(&self) -> Vec<String> {
        match self {
            Filter::Compare(_, operator, _) => vec![operator.clone()],
            Filter::And(one, other) => joined("and", one, other),
            Filter::Or(one, other) => joined("or", one, other),
            // `and` within one element is part of its path.
            Filter::Element(..) => vec!["eq".to_owned()],
        }
    }

    /// The paths that it asks for; `emails[type eq "work" and value eq "x"]` is one.
    pub fn paths(&self) -> Vec<String> {
        match self {
            Filter::Compare(path, ..) => vec![path.clone()],
            Filter::And(one, other) | Filter::Or(one, other) => {
                one.paths().into_iter().chain(other.paths()).collect()
            }
            Filter::Element(list, _) => vec![format!("{list}[]")],
        }
    }

    pub fn admits(&self, body: &Value, case_sensitive: bool) -> bool {
        match self {
            Filter::And(one, other) => one.admits(body, case_sensitive) && other.admits(body, case_sensitive),
            Filter::Or(one, other) => one.admits(body, case_sensitive) || other.admits(body, case_sensitive),
            Filter::Element(list, inner) => {
                member(body, list).is_some_and(|list| elements(list).any(|e| inner.admits(e, case_sensitive)))
            }
            Filter::Compare(path, operator, asked) => {
                let exact = case_sensitive || is_exact(path);
                values(body, path).iter().any(|value| compares(value, operator, asked, exact))
            }
        }
    }
}

fn joined(word: &str, one: &Filter, other: &Filter) -> Vec<String> {
    let mut operators = vec![word.to_owned()];
    operators.extend(one.operators());
    operators.extend(other.operators());
    operators
}

/// RFC 7643: ids and externalId are compared with regard to case, the names of people are not.
fn is_exact(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path == "id" || path == "externalid" || path.starts_with("members") || path.starts_with("groups")
}

fn compares(value: &Value, operator: &str, asked: &Value, exact: bool) -> bool {
    let (Some(value), Some(asked)) = (value.as_str(), asked.as_str()) else {
        return operator == "pr" || (operator == "eq" && value == asked);
    };
    let fold = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
    let (value, asked) = (fold(value), fold(asked));
    match operator {
        "eq" => value == asked,
        "sw" => value.starts_with(&asked),
        "co" => value.contains(&asked),
        _ => operator == "pr",
    }
}

/// All values of a path: `userName`, `name.givenName`, `emails[type eq "work"].value`, `members`.
pub fn values<'a>(body: &'a Value, path: &str) -> Vec<&'a Value> {
    let (head, select, sub) = parts(path);
    let Some(found) = member(body, head) else { return Vec::new() };
    let chosen: Vec<&Value> =
        elements(found).filter(|e| select.is_none_or(|text| selects(text, e))).collect();
    match sub {
        Some(sub) => chosen.into_iter().filter_map(|element| member(element, sub)).collect(),
        // A list of objects is asked for its values.
        None => chosen.into_iter().map(|element| element.get("value").unwrap_or(element)).collect(),
    }
}

fn selects(text: &str, element: &Value) -> bool {
    Filter::read(text).is_ok_and(|filter| filter.admits(element, false))
}

/// Name, filter and sub-attribute of a path; a URN is part of the name.
pub fn parts(path: &str) -> (&str, Option<&str>, Option<&str>) {
    if let Some((list, rest)) = path.split_once('[')
        && let Some((select, sub)) = rest.rsplit_once(']')
    {
        return (list, Some(select), sub.strip_prefix('.'));
    }
    let plain = path.rfind(':').map_or(0, |colon| colon + 1);
    match path[plain..].split_once('.') {
        // The dot of a version is not one before a sub-attribute, and stands before the last colon.
        Some((name, sub)) => (&path[..plain + name.len()], None, Some(sub)),
        None => (path, None, None),
    }
}

/// A member by its name in any case; `urn:…:User:department` is one of the extension's object.
pub fn member<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    let object = body.as_object()?;
    let plain = || object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    plain().or_else(|| {
        let (urn, attribute) = name.rsplit_once(':')?;
        member(object.get(urn)?, attribute)
    })
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}

// Reading -------------------------------------------------------------------------------------------------

fn bad(detail: &str) -> Refusal {
    Refusal::new(400, "filter that is none", detail).of_kind("invalidFilter")
}

fn either(words: &mut Vec<String>) -> Done<Filter> {
    let mut filter = both(words)?;
    while words.last().is_some_and(|word| word == "or") {
        words.pop();
        filter = Filter::Or(Box::new(filter), Box::new(both(words)?));
    }
    Ok(filter)
}

fn both(words: &mut Vec<String>) -> Done<Filter> {
    let mut filter = term(words)?;
    while words.last().is_some_and(|word| word == "and") {
        words.pop();
        filter = Filter::And(Box::new(filter), Box::new(term(words)?));
    }
    Ok(filter)
}

fn term(words: &mut Vec<String>) -> Done<Filter> {
    let path = words.pop().ok_or_else(|| bad("it ends early"))?;
    if let Some((list, rest)) = path.split_once('[')
        && let Some(inner) = rest.strip_suffix(']')
    {
        return Ok(Filter::Element(list.to_owned(), Box::new(Filter::read(inner)?)));
    }
    let operator = words.pop().ok_or_else(|| bad("there is no operator"))?;
    if operator == "pr" {
        return Ok(Filter::Compare(path, operator, Value::Null));
    }
    let value = words.pop().ok_or_else(|| bad("there is no value"))?;
    let value = serde_json::from_str(&value).map_err(|_| bad("the value is no JSON"))?;
    Ok(Filter::Compare(path, operator, value))
}

/// Words between blanks; what stands in quotes or brackets is part of its word.
fn words(text: &str) -> Done<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.checked_sub(1).ok_or_else(|| bad("a bracket is open"))?,
            _ => {}
        }
        match c == ' ' && !quoted && depth == 0 {
            true if word.is_empty() => {}
            true => words.push(std::mem::take(&mut word)),
            false => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    if quoted || depth > 0 { Err(bad("it ends early")) } else { Ok(words) }
}
