//! The merged settings as lines of TOML, each with where its value comes from.

use figment::value::Dict;
use figment::value::Value;

use super::checked::SecretPlace;
use super::layers::Merged;
use super::problem::Key;

/// Settings that say where a secret lies. What stands there instead may be the secret itself.
const SECRETS: [&str; 6] =
    ["secret", "token", "certificate", "certificate_key", "federated_token", "private_key"];

impl Merged {
    /// One line a setting: `jobs.acme.schedule = "every 40m"  # DIR/rosterd.toml:2:1`.
    pub fn show(&self) -> String {
        let mut settings = Vec::new();
        table(&Key::default(), &self.tree, &mut settings);
        settings
            .into_iter()
            .map(|(key, value)| format!("{key} = {value}  # {}\n", self.place(&key)))
            .collect()
    }

    /// The same without where each comes from: a comment that is added to a file makes no other settings.
    pub fn lines(&self) -> String {
        let mut settings = Vec::new();
        table(&Key::default(), &self.tree, &mut settings);
        settings.into_iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
    }
}

fn table(key: &Key, dict: &Dict, settings: &mut Vec<(Key, String)>) {
    for (name, value) in dict {
        let key = key.join(name);
        match value {
            Value::Dict(_, below) if !below.is_empty() => table(&key, below, settings),
            value => {
                let value = shown(&key, value);
                settings.push((key, value));
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
