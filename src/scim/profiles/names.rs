//! Some attributes, by path: all of them, or a list.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

/// Some attributes, by path; `"all"` or a list in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    All,
    Only(Vec<String>),
}

/// The word for all of them.
const ALL: &str = "all";

impl Names {
    /// Whether the attribute of this path is among them. `emails` covers every path below it; names are
    /// compared without regard to case (RFC 7643 section 2.1).
    pub fn cover(&self, path: &str) -> bool {
        match self {
            Names::All => true,
            Names::Only(names) => names.iter().any(|name| covers(name, path)),
        }
    }
}

fn covers(name: &str, path: &str) -> bool {
    let Some((head, rest)) = path.split_at_checked(name.len()) else { return false };
    head.eq_ignore_ascii_case(name) && (rest.is_empty() || rest.starts_with(['.', '[', ':']))
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Names::All => serializer.serialize_str(ALL),
            Names::Only(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> de::Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"all\" or a list of attributes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Names, E> {
        match text {
            ALL => Ok(Names::All),
            other => Err(E::unknown_variant(other, &[ALL])),
        }
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = items.next_element()? {
            names.push(name);
        }
        Ok(Names::Only(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_covers_itself_and_what_lies_below_it() {
        let names = ["userName", "name", "emails[type eq \"work\"].value"].map(str::to_owned);
        let names = Names::Only(names.to_vec());
        for path in ["userName", "username", "name", "name.givenName", "emails[type eq \"work\"].value"] {
            assert!(names.cover(path), "{path}");
        }
        for path in ["userNameX", "nam", "displayName", "emails[type eq \"home\"].value", "emails"] {
            assert!(!names.cover(path), "{path}");
        }
        assert!(Names::All.cover("anything"));
    }

    #[test]
    fn names_are_a_word_or_a_list() {
        let read = |text: &str| serde_json::from_str::<Names>(text);
        assert_eq!(read("\"all\"").unwrap(), Names::All);
        assert_eq!(read("[\"userName\"]").unwrap(), Names::Only(vec!["userName".to_owned()]));
        assert!(read("\"some\"").is_err() && read("5").is_err());
    }
}
