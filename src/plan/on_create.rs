//! What is sent once, when a resource is made: decided with everything else, and kept until it is sent, so that what
//! was drawn by chance is what was shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::scim::Attributes;

/// Rows that flow only on create, and defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCreate {
    pub attributes: Attributes,
    /// Questions to the target; an answer is put among the attributes.
    pub choices: Choices,
}

impl OnCreate {
    pub fn is_empty(&self) -> bool {
        self.attributes.0.is_empty() && self.choices.0.is_empty()
    }
}

/// Values by path, in the order in which the target is asked for them: the first that nobody has is taken.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Choices(pub BTreeMap<String, Vec<String>>);

/// People's attributes are not for logs: the paths are shown, the values are not (P11).
impl fmt::Debug for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
