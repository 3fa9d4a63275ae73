//! The challenge of the Azure Arc agent: a key file that only its group may read, in its own folder
//! (graph.md 2.4).

use std::io::Read;
use std::path::Path;

use super::Secret;

/// The agent's keys are shorter; a longer file is none of them.
const KEY_BYTES_MAX: u64 = 4096;

/// The file that `WWW-Authenticate: Basic realm=<file>` names.
pub(super) fn basic_realm(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let (name, value) = rest.trim().split_once('=')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic") && name.trim().eq_ignore_ascii_case("realm");
    let value = value.trim().trim_matches('"');
    (is_basic && !value.is_empty()).then_some(value)
}

/// The key in a file that lies where the agent's keys lie. Whoever could answer in the agent's stead must not be
/// able to have any other file sent.
pub(super) fn key(path: &Path, directory: &Path) -> Result<Secret, String> {
    if path.parent() != Some(directory) {
        return Err(format!("is said to lie outside {}, so it was not read", directory.display()));
    }
    if path.extension().is_none_or(|extension| extension != "key") {
        return Err("has another name than *.key, so it was not read".to_owned());
    }
    let unreadable = |error: std::io::Error| format!("cannot be read ({error})");
    let found = std::fs::symlink_metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err("is no plain file, so it was not read".to_owned());
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(KEY_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > KEY_BYTES_MAX {
        return Err(format!("is larger than {KEY_BYTES_MAX} bytes, so it was not sent"));
    }
    match text.trim() {
        "" => Err("is empty".to_owned()),
        key => Ok(Secret::new(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_realm_of_a_challenge_is_a_file() {
        let path = "/var/opt/azcmagent/tokens/5f1b.key";
        for header in [
            format!("Basic realm={path}"),
            format!("basic Realm=\"{path}\""),
            format!("Basic realm = {path} "),
        ] {
            assert_eq!(basic_realm(&header), Some(path), "{header}");
        }
        for header in ["", "Basic", "Basic realm=", "Bearer realm=/x.key", "Basic charset=utf-8"] {
            assert_eq!(basic_realm(header), None, "{header}");
        }
    }

    #[test]
    fn only_a_small_key_file_in_the_agents_folder_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let said = |path: &Path| key(path, folder.path()).map(|key| key.reveal().to_owned());
        assert_eq!(said(&put("a.key", "abc\n")), Ok("abc".to_owned()));
        assert_eq!(said(&put("b.key", &"x".repeat(4096))).map(|key| key.len()), Ok(4096));
        let refused = |path: &Path| said(path).unwrap_err();
        assert_eq!(
            refused(&put("c.key", &"x".repeat(4097))),
            "is larger than 4096 bytes, so it was not sent"
        );
        assert_eq!(refused(&put("d.txt", "abc")), "has another name than *.key, so it was not read");
        assert_eq!(refused(&put("e.key", " \n")), "is empty");
        let outside = format!("is said to lie outside {}, so it was not read", folder.path().display());
        assert_eq!(refused(Path::new("/etc/shadow.key")), outside);
        assert_eq!(refused(&folder.path().join("../shadow.key")), outside);
        assert_eq!(refused(&folder.path().join("deeper/a.key")), outside);
        let link = folder.path().join("link.key");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert_eq!(refused(&link), "is no plain file, so it was not read");
        assert!(refused(&folder.path().join("none.key")).starts_with("cannot be read ("));
    }
}
