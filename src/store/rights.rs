//! What a push token may do (SCIM reference, section 14: S4).

use std::fmt;
use std::str::FromStr;

/// Which requests a token is good for. Discovery is always open to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Users and groups.
    pub read: bool,
    pub write_users: bool,
    pub write_groups: bool,
    /// Without it the resource type is not even shown: clients that provision people know nothing of it.
    pub read_grants: bool,
    pub write_grants: bool,
}

/// Each right by its word.
const WORDS: [&str; 5] = ["read", "users:write", "groups:write", "grants:read", "grants:write"];

impl Rights {
    /// What a client that pushes people and groups needs, and the default.
    pub const PUSH: Rights =
        Rights { read: true, write_users: true, write_groups: true, read_grants: false, write_grants: false };

    fn flags(self) -> [bool; 5] {
        [self.read, self.write_users, self.write_groups, self.read_grants, self.write_grants]
    }
}

impl Default for Rights {
    fn default() -> Rights {
        Rights::PUSH
    }
}

/// The words of the rights, with blanks between.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> =
            WORDS.iter().zip(self.flags()).filter(|(_, has)| *has).map(|(word, _)| *word).collect();
        f.write_str(&words.join(" "))
    }
}

/// A word that is no right.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no right; there are: read, users:write, groups:write, grants:read, grants:write")]
pub struct NoRight(String);

impl FromStr for Rights {
    type Err = NoRight;

    /// Words with blanks or commas between.
    fn from_str(text: &str) -> Result<Rights, NoRight> {
        let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        if let Some(unknown) = words.iter().find(|word| !WORDS.contains(word)) {
            return Err(NoRight((*unknown).to_owned()));
        }
        let [read, write_users, write_groups, read_grants, write_grants] =
            WORDS.map(|word| words.contains(&word));
        Ok(Rights { read, write_users, write_groups, read_grants, write_grants })
    }
}

#[cfg(test)]
mod tests {
    use super::Rights;

    #[test]
    fn rights_are_read_as_they_are_written() {
        for text in
            ["read users:write groups:write grants:read grants:write", "read", "read groups:write", ""]
        {
            assert_eq!(text.parse::<Rights>().map(|rights| rights.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("read,users:write".parse::<Rights>().map(|rights| rights.write_users), Ok(true));
        let error = "read root".parse::<Rights>().expect_err("root is no right");
        assert_eq!(
            error.to_string(),
            "`root` is no right; there are: read, users:write, groups:write, grants:read, grants:write"
        );
    }
}
