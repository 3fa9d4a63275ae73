//! What a target was seen to do otherwise than its profile says.

/// One capability of a target as it was seen, by its key in the profile (SCIM reference, O2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// `patch.users`, `members.max_per_patch`, `filter.user_attrs.externalId`, …
    pub capability: String,
    pub value: String,
    /// What was asked and what was answered, masked (P11).
    pub evidence: String,
}

/// A lesson with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    pub lesson: Lesson,
    /// When it was learned, in seconds since 1970.
    pub at_second: i64,
}
