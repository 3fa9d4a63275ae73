//! Where a read of Okta stands: the cursor that the cycle keeps for us.

use serde::Deserialize;
use serde::Serialize;
use url::Url;

use crate::model::Cursor;
use crate::sources::SourceError;

/// One page to come. A function of its address and of what befell the listing so far, so that a listing which
/// turns in circles shows two equal cursors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bookmark {
    pub step: Step,
    pub url: String,
    /// The listing has begun again once, after Okta refused its own cursor.
    #[serde(default, skip_serializing_if = "is_false")]
    pub restarted: bool,
    /// A row could not be read: the listing proves nothing about absence.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left_out: bool,
    /// Groups that mappings have named on the pages so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sought: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    App,
    /// The System Log.
    Log,
    AppUsers,
    AppGroups,
    /// Group push mappings.
    Push,
    /// Groups that mappings name and no list has shown, so many at a time.
    Pushed(Vec<String>),
    /// The n-th picked group of the settings.
    Pick(usize),
    /// With `lastMembershipUpdated` as the group showed it before its members were read.
    Members {
        group: String,
        updated: Option<String>,
    },
    /// Looks for groups that were read before and that nothing has shown in this cycle.
    Lost,
    /// One of them, by its id.
    LostGroup(String),
}

impl Bookmark {
    pub fn new(step: Step, url: &Url) -> Bookmark {
        Bookmark { step, url: url.to_string(), restarted: false, left_out: false, sought: Vec::new() }
    }

    pub fn read(cursor: &Cursor) -> Result<Bookmark, SourceError> {
        serde_json::from_str(&cursor.0).map_err(|_| SourceError::Malformed {
            place: "okta".to_owned(),
            what: "the cursor is not one of ours".to_owned(),
        })
    }

    pub fn at(self, url: &Url) -> Bookmark {
        Bookmark { url: url.to_string(), ..self }
    }

    pub fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).expect("a bookmark is made of texts and numbers"))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
