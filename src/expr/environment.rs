//! What an evaluation may know besides the object. All of it is an argument: the same input gives the same value.

use std::fmt;

use jiff::Timestamp;

/// Time, chance, and what the directory says of itself.
#[derive(Clone, Default)]
pub struct Environment {
    /// What `Now` says.
    pub now: Timestamp,
    /// What `Guid` and `RandomString` are drawn from. Whoever knows it knows what they give.
    pub seed: [u8; 32],
    /// What `DefaultDomain` says; `None` where the source has no such thing.
    pub default_domain: Option<String>,
}

impl Environment {
    /// The same with a seed of its own for one row of one object: no two of them draw the same.
    pub fn of(&self, object: &str, row: &str) -> Environment {
        let mut hasher = blake3::Hasher::new_keyed(&self.seed);
        hasher.update(&(object.len() as u64).to_le_bytes()).update(object.as_bytes()).update(row.as_bytes());
        Environment { seed: *hasher.finalize().as_bytes(), ..self.clone() }
    }
}

/// The seed is not shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Environment { now, default_domain, .. } = self;
        f.debug_struct("Environment").field("now", now).field("default_domain", default_domain).finish()
    }
}
