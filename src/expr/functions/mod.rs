//! Shelf of functions, one file a family. The contract: arguments in, a value out; names and numbers of
//! arguments are checked by the table before a function is called.

mod calendar;
mod choice;
mod dates;
mod diacritics;
mod encoding;
mod format;
mod letters;
mod lists;
mod pattern;
mod random;
mod replace;
mod roles;
mod text;

pub(super) use calendar::read as read_date;
pub(super) use choice::is_true;
pub(super) use encoding::integer;
pub(super) use pattern::compiled as pattern;
pub(super) use roles::manner as roles;

use regex::Regex;

use super::EvalError;
use super::Value;
use super::evaluate::Arguments;
use super::nearest;
use super::tree::Node;

/// One row of the table.
pub(super) struct Function {
    pub name: &'static str,
    /// So many arguments, counted from the first, must be supplied.
    pub least: usize,
    /// No more than so many may be there.
    pub most: usize,
    /// Whether the first argument may be a comparison.
    pub condition: bool,
    pub call: fn(&Arguments<'_>) -> Result<Value, EvalError>,
    /// Whether it stands for the whole expression or not at all.
    pub outermost: bool,
    /// What else can be known before there are values.
    pub also: fn(&[Node]) -> Result<(), Refusal>,
}

/// Why a call cannot work, in words for people, and the argument that is meant, counted from 0.
#[derive(Debug)]
pub(super) struct Refusal {
    pub place: Option<usize>,
    pub text: String,
}

impl Refusal {
    fn call(text: impl Into<String>) -> Refusal {
        Refusal { place: None, text: text.into() }
    }

    fn argument(place: usize, text: impl Into<String>) -> Refusal {
        Refusal { place: Some(place), text: text.into() }
    }
}

const ANY: usize = usize::MAX;

const fn function(
    name: &'static str,
    least: usize,
    most: usize,
    call: fn(&Arguments<'_>) -> Result<Value, EvalError>,
) -> Function {
    Function { name, least, most, condition: false, outermost: false, call, also: |_| Ok(()) }
}

/// Every function that is there, by name.
pub(super) static TABLE: [Function; 48] = [
    function("Append", 2, 2, text::append),
    function("AppRoleAssignments", 1, 1, roles::names),
    Function { outermost: true, ..function("AppRoleAssignmentsComplex", 1, 1, roles::whole) },
    Function { outermost: true, ..function("AssertiveAppRoleAssignmentsComplex", 1, 1, roles::whole) },
    function("BitAnd", 2, 2, encoding::bit_and),
    Function { condition: true, ..function("CBool", 1, 1, choice::c_bool) },
    function("CDate", 1, 1, dates::c_date),
    function("Coalesce", 1, ANY, choice::coalesce),
    function("ConvertToBase64", 1, 1, encoding::convert_to_base64),
    function("ConvertToUTF8Hex", 1, 1, encoding::convert_to_utf8_hex),
    function("Count", 1, 1, lists::count),
    function("CStr", 1, 1, text::c_str),
    Function { also: dates::check_interval, ..function("DateAdd", 3, 3, dates::date_add) },
    Function { also: dates::check_interval, ..function("DateDiff", 3, 3, dates::date_diff) },
    function("DateFromNum", 1, 1, dates::date_from_num),
    function("DefaultDomain", 0, 0, text::default_domain),
    Function { also: format::check, ..function("FormatDateTime", 1, 4, format::format_date_time) },
    function("Guid", 0, 0, random::guid),
    Function { condition: true, ..function("IIF", 1, 3, choice::iif) },
    function("IgnoreFlowIfNullOrEmpty", 1, 1, choice::ignore_flow_if_null_or_empty),
    Function { also: text::check_in_str, ..function("InStr", 2, 4, text::in_str) },
    function("IsNothing", 1, 1, choice::is_null),
    function("IsNull", 1, 1, choice::is_null),
    function("IsNullOrEmpty", 1, 1, choice::is_null_or_empty),
    function("IsPresent", 1, 1, choice::is_present),
    function("IsString", 1, 1, choice::is_string),
    Function { also: lists::check_item, ..function("Item", 2, 2, lists::item) },
    function("Join", 2, ANY, lists::join),
    function("Left", 2, 2, text::left),
    function("Mid", 3, 3, text::mid),
    function("NormalizeDiacritics", 1, 1, diacritics::normalize_diacritics),
    function("Not", 1, 1, choice::not),
    function("Now", 0, 0, dates::now),
    function("NumFromDate", 1, 1, dates::num_from_date),
    function("PCase", 1, 2, letters::p_case),
    function("Prepend", 2, 2, text::prepend),
    Function { also: random::check, ..function("RandomString", 5, 6, random::random_string) },
    function("Redact", 1, 1, choice::redact),
    function("RemoveDuplicates", 1, 1, lists::remove_duplicates),
    Function { also: replace::check, ..function("Replace", 1, 7, replace::replace) },
    Function { outermost: true, ..function("SelectUniqueValue", 2, ANY, choice::select_unique_value) },
    function("SingleAppRoleAssignment", 1, 1, roles::single),
    Function { also: lists::check_split, ..function("Split", 1, 2, lists::split) },
    function("StripSpaces", 1, 1, text::strip_spaces),
    Function { also: choice::check_switch, ..function("Switch", 1, ANY, choice::switch) },
    function("ToLower", 1, 2, letters::to_lower),
    function("ToUpper", 1, 2, letters::to_upper),
    function("Word", 3, 3, text::word),
];

/// Functions that give another value each time.
pub(super) const FLEETING: [&str; 3] = ["Guid", "Now", "RandomString"];
/// The function whose values are a question to the target.
pub(super) const CHOICE: &str = "SelectUniqueValue";
pub(super) const REDACTED: &str = "Redact";
pub(super) const DOMAIN: &str = "DefaultDomain";

/// Words that stand alone, as arguments of `InStr`.
pub(super) const CONSTANTS: [&str; 2] = [text::BINARY_COMPARE, text::TEXT_COMPARE];

/// What a name is.
pub(super) enum Found {
    Function(&'static Function),
    /// With the name that was most likely meant.
    Unknown(Option<&'static str>),
}

/// Finds a function by name; any case is accepted.
pub(super) fn find(name: &str) -> Found {
    if let Some(function) = TABLE.iter().find(|function| function.name.eq_ignore_ascii_case(name)) {
        return Found::Function(function);
    }
    Found::Unknown(nearest(name, TABLE.iter().map(|function| function.name)))
}

impl Function {
    /// Checks the arguments, and compiles the pattern where it is a literal.
    pub fn check(&self, arguments: &[Node]) -> Result<Option<Regex>, Refusal> {
        if arguments.len() > self.most {
            let text = format!("{} takes {}", self.name, at_most(self.most));
            return Err(Refusal::argument(self.most, text));
        }
        let missing = |place: &usize| !arguments.get(*place).is_some_and(Node::is_supplied);
        if let Some(place) = (0..self.least).find(missing) {
            let text =
                format!("{} needs {}; argument {} is missing", self.name, counted(self.least), place + 1);
            return Err(Refusal::call(text));
        }
        let named =
            |refusal: Refusal| Refusal { text: format!("{}: {}", self.name, refusal.text), ..refusal };
        (self.also)(arguments).map_err(named)?;
        match (self.name, arguments.get(replace::PATTERN).and_then(Node::literal)) {
            ("Replace", Some(literal)) => pattern(literal).map(Some),
            _ => Ok(None),
        }
        .map_err(|text| named(Refusal::argument(replace::PATTERN, text)))
    }
}

fn at_most(count: usize) -> String {
    if count == 0 { "no arguments".to_owned() } else { format!("{} at most", counted(count)) }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") }
}
