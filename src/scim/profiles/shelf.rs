//! The files of `config/profiles`, embedded: the standard says everything, each other file how it departs from it.

use serde_json::Value;

use super::Profile;

/// The profile that the others depart from.
pub(super) const STANDARD: &str = "standard";

const FILES: [(&str, &str); 10] = [
    (STANDARD, include_str!("../../../config/profiles/standard.toml")),
    ("cerby", include_str!("../../../config/profiles/cerby.toml")),
    ("configcat", include_str!("../../../config/profiles/configcat.toml")),
    ("aws-identity-center", include_str!("../../../config/profiles/aws-identity-center.toml")),
    ("slack", include_str!("../../../config/profiles/slack.toml")),
    ("github", include_str!("../../../config/profiles/github.toml")),
    ("github-org", include_str!("../../../config/profiles/github-org.toml")),
    ("atlassian", include_str!("../../../config/profiles/atlassian.toml")),
    ("snowflake", include_str!("../../../config/profiles/snowflake.toml")),
    ("hcp-terraform", include_str!("../../../config/profiles/hcp-terraform.toml")),
];

impl Profile {
    /// Every profile of the shelf.
    pub const NAMES: [&'static str; 10] = names();

    /// The profile that the settings call `name`.
    pub fn named(name: &str) -> Option<Profile> {
        let (_, standard) = FILES[0];
        let (_, own) = FILES.into_iter().find(|(known, _)| *known == name)?;
        let profile = read(standard, own).expect("a profile that is embedded was read by the tests");
        Some(Profile { name: name.to_owned(), ..profile })
    }
}

const fn names() -> [&'static str; 10] {
    let mut names = [""; 10];
    let mut at = 0;
    while at < FILES.len() {
        names[at] = FILES[at].0;
        at += 1;
    }
    names
}

/// One file laid over another; the error is serde's, with the key that it does not know.
fn read(below: &str, above: &str) -> Result<Profile, String> {
    let table = |text: &str| toml_edit::de::from_str::<Value>(text).map_err(|error| error.to_string());
    let mut merged = table(below)?;
    lay(&mut merged, table(above)?);
    serde_json::from_value(merged).map_err(|error| error.to_string())
}

/// Tables are merged, everything else is replaced.
fn lay(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                lay(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read() {
        for (name, text) in FILES {
            let read = read(FILES[0].1, text);
            assert!(read.is_ok(), "{name}: {:?}", read.err());
            assert!(text.starts_with("# "), "{name} begins by saying what it is");
        }
    }

    #[test]
    fn an_unknown_key_of_a_file_is_an_error() {
        let (_, standard) = FILES[0];
        for (text, key) in [
            ("fliter = 1", "fliter"),
            ("[members]\nmax_per_pach = 1", "max_per_pach"),
            ("[rate]\nrpm = 1", "rpm"),
            ("active_semantics = \"vanish\"", "vanish"),
            ("[demands]\nseats = 1", "seats"),
        ] {
            let error = read(standard, text).unwrap_err();
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn a_file_is_laid_over_the_standard_key_by_key() {
        let profile = read(FILES[0].1, "[members]\nmax_per_patch = 7\n[patch]\nusers = \"no\"").unwrap();
        let standard = Profile::standard();
        assert_eq!(profile.members.max_per_patch, 7);
        assert_eq!(profile.members.max_per_post, standard.members.max_per_post);
        assert_eq!(profile.patch.groups, standard.patch.groups);
        assert_ne!(profile.patch.users, standard.patch.users);
    }
}
