//! What a service is strict about, as values. Nothing here is shared with the product's own profiles: both were
//! written from the documentation of the services, so that they cannot be wrong together.

/// One row of the table of services (SCIM reference, section 13).
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    /// The profile of the product that is meant for it.
    pub profile: &'static str,
    /// The path that `/Users` is put behind.
    pub base: &'static str,
    pub users: Kept,
    pub groups: Kept,
    pub filters: Filters,
    pub paging: Paging,
    pub parameters: Parameters,
    pub members: Members,
    /// Whether a PATCH may name an element, as in `emails[type eq "work"].value`.
    pub value_paths: bool,
    pub ids: Ids,
    pub patched: Patched,
    pub inactive: Inactive,
    pub deletion: Deletion,
    pub errors: Errors,
    pub discovery: Discovery,
    /// A request without a `User-Agent` is refused.
    pub user_agent: bool,
    /// Nobody is shown by a list without a filter but one who does not exist.
    pub fake_user: bool,
    /// The status where a method is not offered.
    pub no_such_method: u16,
    pub rates: &'static [Rate],
}

/// What is done with one resource type.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    pub methods: &'static [&'static str],
    /// What must be there, by path.
    pub required: &'static [&'static str],
    /// Attributes that are kept; others are dropped without a word. `None`: all are kept.
    pub only: Option<&'static [&'static str]>,
    /// Attributes that are refused.
    pub refused: &'static [&'static str],
    /// Lists that hold one value at most.
    pub single: &'static [&'static str],
    /// `userName` and the work e-mail must be equal.
    pub name_is_mail: bool,
    /// Mail domains that were verified; others are refused. Empty: all are.
    pub domains: &'static [&'static str],
}

/// What filters may say. Paths stand as they are written, without values.
#[derive(Clone, Copy, Debug)]
pub struct Filters {
    pub operators: &'static [&'static str],
    /// `None`: whatever the schema has.
    pub users: Option<&'static [&'static str]>,
    pub groups: Option<&'static [&'static str]>,
    /// Values are compared with regard to case, also where the schema says otherwise.
    pub case_sensitive: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Paging {
    /// `startIndex` and `count`, cut to the most.
    Index { most: usize },
    /// Pages of one size, whatever `count` says.
    Fixed { size: usize },
    /// `cursor`, and a `count` from one to the most; without it the first page and no way on.
    Cursor { most: usize, first: usize },
}

/// Query parameters that are refused.
#[derive(Clone, Copy, Debug)]
pub struct Parameters {
    pub refused: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
pub struct Members {
    /// `false`: the list is there, and always empty.
    pub shown: bool,
    /// Members in one POST or PATCH.
    pub most: usize,
    /// Whether a PATCH may replace or clear the whole list.
    pub whole: bool,
    /// Somebody who is added again is there twice.
    pub twice: bool,
    /// `remove` with the path `members` and a list of values.
    pub listed: Listed,
    /// The most members of one group.
    pub all: usize,
}

/// The status of a PATCH that went well; 204 has no body.
#[derive(Clone, Copy, Debug)]
pub struct Patched {
    pub user: u16,
    pub group: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// By the letter of RFC 7644: the path names all of them, and the value says nothing.
    ClearsAll,
    /// Only those on the list, as Entra means it.
    RemovesThese,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    Opaque,
    /// A user's is its `userName`, a group's its `displayName`: they change with the name, and hold spaces.
    Names,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inactive {
    Stays,
    /// `active: false` deletes the identity and its id.
    IsGone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    Deletes,
    /// The user is still there, and inactive.
    Deactivates,
    /// The user is not shown any more, as if deleted.
    DeactivatesAndHides,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    Scim,
    /// `{"errors":[…]}`.
    List,
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    Nothing,
    /// ServiceProviderConfig, and a schema by its URN.
    Described,
    /// As above, but a schema by its URN is a list.
    ListedSchemas,
}

/// So many writes at once; then 429 with `Retry-After`, after which a minute has passed on the service's clock.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub resource: &'static str,
    pub methods: &'static [&'static str],
    pub burst: u32,
    pub per_minute: u32,
}

const EVERYTHING: Kept = Kept {
    methods: &["GET", "POST", "PUT", "PATCH", "DELETE"],
    required: &[],
    only: None,
    refused: &[],
    single: &[],
    name_is_mail: false,
    domains: &[],
};

/// RFC 7643 and 7644 by the letter. Each row says how it departs from this.
pub const RFC: Row = Row {
    name: "RFC 7644",
    profile: "standard",
    base: "/scim/v2",
    users: Kept { required: &["userName"], ..EVERYTHING },
    groups: Kept { required: &["displayName"], ..EVERYTHING },
    filters: Filters {
        operators: &["eq", "and", "or", "co", "sw", "pr"],
        users: None,
        groups: None,
        case_sensitive: false,
    },
    paging: Paging::Index { most: 1_000 },
    parameters: Parameters { refused: &[] },
    members: Members {
        shown: true,
        most: usize::MAX,
        whole: true,
        twice: false,
        listed: Listed::ClearsAll,
        all: usize::MAX,
    },
    value_paths: true,
    ids: Ids::Opaque,
    patched: Patched { user: 200, group: 200 },
    inactive: Inactive::Stays,
    deletion: Deletion::Deletes,
    errors: Errors::Scim,
    discovery: Discovery::Described,
    user_agent: false,
    fake_user: false,
    no_such_method: 405,
    rates: &[],
};
