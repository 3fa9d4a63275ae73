//! One line of `rosterd check`: what was looked at, what was seen, what to do about it.

use serde::Serialize;

/// One line of `rosterd check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub grade: Grade,
    /// What was looked at: `sign-in`, `users`, `app assignments`.
    pub subject: String,
    /// What was seen.
    pub text: String,
    /// What to do about it; empty when nothing is to be done.
    pub cure: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Ok,
    Warning,
    Error,
}
