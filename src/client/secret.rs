//! A secret: read from where it lies, shown as dots, never part of a message.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use super::keys::FROM_PKCS12;

/// A credential. `Debug` and `Display` show dots only (P11).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Reads `file:PATH`, `env:NAME` or `cred:NAME` (a systemd credential). Trailing line ends are cut.
    /// A file that others may read is refused.
    pub fn read(place: &str) -> Result<Secret, SecretError> {
        let (scheme, name) = place.split_once(':').ok_or(SecretError::Literal)?;
        let text = match scheme {
            "file" => read_private(Path::new(name), place)?,
            "env" => std::env::var(name).map_err(|_| SecretError::Variable { name: name.to_owned() })?,
            "cred" => read_private(&credential(name)?, place)?,
            _ => return Err(SecretError::Literal),
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            return Err(SecretError::Empty { place: place.to_owned() });
        }
        Ok(Secret(text.to_owned()))
    }

    /// The file of such a place, where it is one.
    pub fn file(place: &str) -> Option<PathBuf> {
        match place.split_once(':')? {
            ("file", path) => Some(PathBuf::from(path)),
            ("cred", name) => credential(name).ok(),
            _ => None,
        }
    }
}

fn credential(name: &str) -> Result<PathBuf, SecretError> {
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY")
        .ok_or_else(|| SecretError::NoCredentials { name: name.to_owned() })?;
    Ok(Path::new(&directory).join(name))
}

fn read_private(path: &Path, place: &str) -> Result<String, SecretError> {
    use std::os::unix::fs::PermissionsExt;
    let unreadable = |source| SecretError::Unreadable { place: place.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(SecretError::WorldReadable { place: place.to_owned(), path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::InvalidData => SecretError::NotText { place: place.to_owned() },
        _ => unreadable(source),
    })
}

/// The whole text of an error, its cause in brackets before the cure.
pub(super) fn chain(error: &SecretError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error} ({cause})"),
        None => error.to_string(),
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

/// Why a secret could not be had. The texts name the place, never the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(
        "a secret is never written into the settings; say where it lies: file:PATH, env:NAME or cred:NAME"
    )]
    Literal,
    #[error("the variable {name} is not set; set it, or name another place")]
    Variable { name: String },
    #[error(
        "cred:{name} needs a systemd credential; add LoadCredential={name}:PATH to the unit, or use file:PATH"
    )]
    NoCredentials { name: String },
    #[error("{place} cannot be read")]
    Unreadable {
        place: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{place} may be read by everybody on this host; run: chmod 600 {}", path.display())]
    WorldReadable { place: String, path: PathBuf },
    #[error("{place} holds no text; a PKCS#12 file (.pfx, .p12) has to become PEM: {FROM_PKCS12}")]
    NotText { place: String },
    #[error("{place} is empty")]
    Empty { place: String },
}
