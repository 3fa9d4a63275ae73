//! A count with a few examples, and values that two objects share: little memory for many people.

use std::collections::BTreeMap;

use crate::model::SourceId;

/// More are counted, not named.
const EXAMPLES: usize = 5;

/// How many, and the first five.
#[derive(Clone, Debug, Default)]
pub(super) struct Some5 {
    count: u64,
    examples: Vec<String>,
}

impl Some5 {
    pub fn add(&mut self, example: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example.to_owned());
        }
    }

    /// `3 people (ann, bob, cyd)`; `None` where there is nobody.
    pub fn told(&self, one: &str, many: &str) -> Option<String> {
        let counted = super::counted(self.count, one, many);
        (self.count > 0).then(|| format!("{counted} ({})", some(&self.examples, self.count)))
    }
}

/// The first five of so many.
pub(super) fn some<T: AsRef<str>>(examples: &[T], count: u64) -> String {
    let shown: Vec<&str> = examples.iter().take(EXAMPLES).map(AsRef::as_ref).collect();
    let more = count.saturating_sub(shown.len() as u64);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

/// Values that more than one object has. Of a value that was seen once only a hash is kept, and who had it.
#[derive(Debug, Default)]
pub(super) struct Twice {
    first: BTreeMap<[u8; 8], SourceId>,
    shared: BTreeMap<String, Vec<SourceId>>,
}

impl Twice {
    pub fn see(&mut self, value: String, source: &SourceId) {
        if let Some(sharing) = self.shared.get_mut(&value) {
            sharing.push(source.clone());
            return;
        }
        let hash = blake3::hash(value.as_bytes());
        let key = std::array::from_fn(|at| hash.as_bytes()[at]);
        match self.first.get(&key) {
            Some(first) => {
                self.shared.insert(value, vec![first.clone(), source.clone()]);
            }
            None => {
                self.first.insert(key, source.clone());
            }
        }
    }

    /// `2 addresses are shared: ann@x (id1, id2), …`.
    pub fn told(&self, what: &str, whose: &str) -> Option<String> {
        let count = self.shared.len() as u64;
        if count == 0 {
            return None;
        }
        let lines: Vec<String> = self
            .shared
            .iter()
            .take(EXAMPLES)
            .map(|(value, sources)| {
                let ids: Vec<&String> = sources.iter().map(|source| &source.0).collect();
                format!("{value} ({})", some(&ids, ids.len() as u64))
            })
            .collect();
        let verb = if count == 1 { "is" } else { "are" };
        let plural = if count == 1 { "" } else { plural(what) };
        Some(format!("{count} {what}{plural} {verb} shared by several {whose}: {}", some(&lines, count)))
    }
}

fn plural(word: &str) -> &'static str {
    if word.ends_with('s') { "es" } else { "s" }
}
