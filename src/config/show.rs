//! The merged settings as lines of TOML, each with where its value comes from.

use figment::value::Dict;
use figment::value::Value;

use super::checked::SecretPlace;
use super::layers::Merged;
use super::problem::Key;

/// Settings that say where a secret lies. What stands there instead may be the secret itself.
const SECRETS: [&str; 5] = ["secret", "token", "certificate", "certificate_key", "federated_token"];

impl Merged {
    /// One line a setting: `jobs.acme.schedule = "every 40m"  # DIR/rosterd.toml:2:1`.
    pub fn show(&self) -> String {
        let mut lines = Vec::new();
        self.table(&Key::default(), &self.tree, &mut lines);
        lines.into_iter().map(|line| line + "\n").collect()
    }

    fn table(&self, key: &Key, table: &Dict, lines: &mut Vec<String>) {
        for (name, value) in table {
            let key = key.join(name);
            match value {
                Value::Dict(_, below) if !below.is_empty() => self.table(&key, below, lines),
                value => lines.push(format!("{key} = {}  # {}", shown(&key, value), self.place(&key))),
            }
        }
    }
}

fn shown(key: &Key, value: &Value) -> String {
    let is_secret = SECRETS.contains(&key.last());
    match value {
        Value::String(_, text) if is_secret && SecretPlace::parse(text).is_none() => "\"••••\"".to_owned(),
        Value::String(_, text) => toml_edit::Value::from(text.as_str()).to_string(),
        Value::Char(_, letter) => toml_edit::Value::from(letter.to_string()).to_string(),
        Value::Bool(_, yes) => yes.to_string(),
        Value::Num(..) if is_secret => "••••".to_owned(),
        Value::Num(_, number) => match (number.to_i128(), number.to_u128(), number.to_f64()) {
            (Some(whole), ..) => whole.to_string(),
            (_, Some(whole), _) => whole.to_string(),
            (.., fraction) => fraction.map(|fraction| fraction.to_string()).unwrap_or_default(),
        },
        Value::Empty(..) => "{}".to_owned(),
        Value::Dict(_, table) => {
            let inner =
                table.iter().map(|(name, value)| format!("{name} = {}", shown(&key.join(name), value)));
            format!("{{ {} }}", inner.collect::<Vec<_>>().join(", "))
        }
        Value::Array(_, items) => {
            let items = items.iter().map(|item| shown(key, item));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
    }
}
