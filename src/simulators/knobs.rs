//! Knobs: how a service behaves where the references leave it open, know of several ways, or report a bug.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;

use super::Flavour;
use super::graph::GraphKnobs;
use super::nearest::nearest;
use super::okta::OktaKnobs;

/// The knobs of both services; a world turns those of its own flavour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Knobs {
    pub graph: GraphKnobs,
    pub okta: OktaKnobs,
}

/// Why a knob could not be turned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    #[error("`{text}` turns no knob; write NAME=VALUE, such as page_size=50")]
    NoValue { text: String },
    #[error("`{name}` is no knob of this service; {cure}")]
    Unknown { name: String, cure: String },
    #[error("knobs have a value that does not fit: {reason}")]
    BadValue { reason: String },
}

impl Knobs {
    /// The knobs of one service as the control interface shows them.
    pub(super) fn shown(&self, flavour: Flavour) -> Map<String, Value> {
        match flavour {
            Flavour::Graph => map(&self.graph),
            Flavour::Okta => map(&self.okta),
        }
    }

    /// Sets the named knobs of one service and leaves the others as they are.
    pub(super) fn set(&mut self, flavour: Flavour, values: &Map<String, Value>) -> Result<(), KnobError> {
        let mut shown = self.shown(flavour);
        for (name, value) in values {
            let known = shown.get_mut(name).ok_or_else(|| unknown(name, &map_of(flavour)))?;
            *known = value.clone();
        }
        match flavour {
            Flavour::Graph => self.graph = checked(shown)?,
            Flavour::Okta => self.okta = checked(shown)?,
        }
        Ok(())
    }

    /// Turns one knob as the command line writes it: `NAME=VALUE`, or `NAME.KEY=VALUE` for one of several values.
    /// The value is JSON, or a text; a list may be written with commas.
    pub fn turn(&mut self, flavour: Flavour, text: &str) -> Result<(), KnobError> {
        let (name, value) =
            text.split_once('=').ok_or_else(|| KnobError::NoValue { text: text.to_owned() })?;
        let (name, key) = match name.split_once('.') {
            Some((name, key)) => (name, Some(key)),
            None => (name, None),
        };
        let shown = self.shown(flavour);
        let known = shown.get(name).ok_or_else(|| unknown(name, &shown))?;
        let value = match (key, known) {
            (Some(key), Value::Object(entries)) => {
                let mut entries = entries.clone();
                let value = value_of(value, entries.get(key));
                entries.insert(key.to_owned(), value);
                Value::Object(entries)
            }
            (Some(key), Value::Null) => {
                Value::Object(Map::from_iter([(key.to_owned(), value_of(value, None))]))
            }
            (Some(key), _) => return Err(unknown(&format!("{name}.{key}"), &shown)),
            (None, known) => value_of(value, Some(known)),
        };
        self.set(flavour, &Map::from_iter([(name.to_owned(), value)]))
    }
}

/// JSON where it is JSON; a list by commas where the knob holds a list; a text otherwise.
fn value_of(text: &str, known: Option<&Value>) -> Value {
    if let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    match known {
        Some(Value::Array(_)) if !text.starts_with("-----") => {
            text.split(',').map(|part| Value::from(part.trim())).collect()
        }
        Some(Value::Array(_)) => Value::from(vec![text]),
        _ => Value::from(text),
    }
}

fn unknown(name: &str, known: &Map<String, Value>) -> KnobError {
    let cure = match nearest(name, known.keys().map(String::as_str)) {
        Some(near) => format!("the nearest is `{near}`"),
        None => {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            format!("it has {}", names.join(", "))
        }
    };
    KnobError::Unknown { name: name.to_owned(), cure }
}

fn map_of(flavour: Flavour) -> Map<String, Value> {
    Knobs::default().shown(flavour)
}

fn map<T: Serialize>(knobs: &T) -> Map<String, Value> {
    match serde_json::to_value(knobs) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn checked<T: DeserializeOwned>(values: Map<String, Value>) -> Result<T, KnobError> {
    serde_json::from_value(Value::Object(values))
        .map_err(|error| KnobError::BadValue { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_is_turned_by_name_and_value() {
        let mut knobs = Knobs::default();
        knobs.turn(Flavour::Graph, "silent_restore=true").unwrap();
        assert!(knobs.graph.silent_restore);
        knobs.turn(Flavour::Okta, "rate_limit=5").unwrap();
        assert_eq!(knobs.okta.rate_limit, 5);
    }

    #[test]
    fn an_unknown_knob_is_told_the_nearest_one() {
        let mut knobs = Knobs::default();
        let error = knobs.turn(Flavour::Graph, "silent_restor=true").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`silent_restor` is no knob of this service; the nearest is `silent_restore`"
        );
        let error = knobs.turn(Flavour::Graph, "silent_restore").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`silent_restore` turns no knob; write NAME=VALUE, such as page_size=50"
        );
        assert!(matches!(
            knobs.turn(Flavour::Graph, "silent_restore=maybe"),
            Err(KnobError::BadValue { .. })
        ));
    }
}
