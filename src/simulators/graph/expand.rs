//! `$expand`: a manager, or at most twenty of a related collection (graph.md section 5.4).

use super::super::exchange::Answer;
use super::errors::bad_request;
use super::errors::error;
use super::options;
use super::options::Options;
use super::users;

/// An expanded collection ends after so many and has no next link.
pub(super) const EXPANDED_MAX: usize = 20;
/// How far `$levels=max` goes.
const LEVELS_MAX: u32 = 100;

pub(super) struct Expand {
    pub(super) relation: String,
    pub(super) select: Option<Vec<String>>,
    /// Of managers.
    pub(super) levels: u32,
}

impl Expand {
    /// One of the known relations, with `$select` and, for managers, `$levels` in parentheses.
    pub(super) fn of(options: &Options, relations: &[&str]) -> Result<Option<Expand>, Answer> {
        let Some(text) = options.value("$expand") else { return Ok(None) };
        let (relation, inner) = match text.split_once('(') {
            Some((relation, rest)) => (relation, rest.strip_suffix(')').ok_or_else(malformed)?),
            None => (text, ""),
        };
        if !relations.contains(&relation) {
            return Err(error(400, "ExpandNotSupported", "Expand is not allowed for this property."));
        }
        let mut expand = Expand { relation: relation.to_owned(), select: None, levels: 1 };
        let mut is_leveled = false;
        for option in inner.split(';').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("$select", names)) => {
                    let tables =
                        [users::DEFAULT, users::FURTHER, super::groups::DEFAULT, super::groups::FURTHER];
                    expand.select = Some(options::select(names, "directoryObject", &tables)?);
                }
                Some(("$levels", levels)) if relation == "manager" => {
                    is_leveled = true;
                    expand.levels = match levels {
                        "max" => LEVELS_MAX,
                        levels => levels
                            .parse::<u32>()
                            .ok()
                            .filter(|levels| *levels > 0)
                            .ok_or_else(malformed)?
                            .min(LEVELS_MAX),
                    };
                }
                _ => return Err(malformed()),
            }
        }
        match (is_leveled, options.is_eventual()) {
            (true, _) if !options.is_advanced() => Err(super::filter_rules::needs_parameters("$levels")),
            (false, true) => Err(bad_request("$expand cannot be combined with advanced query parameters.")),
            _ => Ok(Some(expand)),
        }
    }
}

fn malformed() -> Answer {
    error(400, "BadRequest", "Parsing OData Select and Expand failed: Syntax error.")
}
