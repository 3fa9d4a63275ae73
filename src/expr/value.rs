//! What an expression works on: nothing, one text, or several.

use std::fmt;

/// The value model of the provisioning service: everything is text. Booleans are `True` and `False`, numbers
/// are written in digits, dates as text.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Value {
    #[default]
    Null,
    One(String),
    /// Never empty: a list without values is `Null`.
    Many(Vec<String>),
}

impl Value {
    pub fn flag(flag: bool) -> Value {
        Value::One(if flag { "True" } else { "False" }.to_owned())
    }

    pub fn list(values: impl IntoIterator<Item = String>) -> Value {
        let values: Vec<String> = values.into_iter().collect();
        if values.is_empty() { Value::Null } else { Value::Many(values) }
    }

    /// A JSON value of a source object. Objects have no value of their own (one of their parts has), and
    /// within a list they are passed over.
    pub fn from_json(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Array(items) => Value::list(items.iter().filter_map(scalar)),
            other => scalar(other).map_or(Value::Null, Value::One),
        }
    }

    /// Every text there is: none, one or several.
    pub fn values(&self) -> &[String] {
        match self {
            Value::Null => &[],
            Value::One(text) => std::slice::from_ref(text),
            Value::Many(list) => list,
        }
    }

    /// The same, taken out.
    pub fn into_values(self) -> Vec<String> {
        match self {
            Value::Null => Vec::new(),
            Value::One(text) => vec![text],
            Value::Many(list) => list,
        }
    }

    pub fn is_null_or_empty(&self) -> bool {
        self.values().iter().all(String::is_empty)
    }

    /// How many bytes of text it holds, and one for each further value: a list of empty texts is not nothing.
    pub(super) fn bytes(&self) -> usize {
        let values = self.values();
        values.iter().map(String::len).sum::<usize>() + values.len().saturating_sub(1)
    }
}

fn scalar(json: &serde_json::Value) -> Option<String> {
    match json {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Bool(true) => Some("True".to_owned()),
        serde_json::Value::Bool(false) => Some("False".to_owned()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}

/// People's attributes are not for logs: the shape is shown, the text is not (P11).
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("Null"),
            Value::One(_) => f.write_str("One"),
            Value::Many(list) => write!(f, "Many({})", list.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;
    use serde_json::json;

    #[test]
    fn json_becomes_text_and_a_list_without_texts_is_no_value() {
        let one = |text: &str| Value::One(text.to_owned());
        assert!(Value::from_json(&json!(true)) == one("True"));
        assert!(Value::from_json(&json!(7)) == one("7"));
        assert!(Value::from_json(&json!("")) == one(""));
        assert!(Value::from_json(&json!(null)) == Value::Null);
        assert!(Value::from_json(&json!([])) == Value::Null);
        assert!(Value::from_json(&json!({"a": 1})) == Value::Null);
        assert!(Value::from_json(&json!(["a", {"b": 1}, 2])) == Value::Many(vec!["a".into(), "2".into()]));
    }

    #[test]
    fn debug_shows_no_text() {
        assert_eq!(format!("{:?}", Value::One("ann".into())), "One");
        assert_eq!(format!("{:?}", Value::Many(vec!["ann".into()])), "Many(1)");
    }
}
