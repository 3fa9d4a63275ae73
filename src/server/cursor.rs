//! Cursors (RFC 9865): where the next page begins, sealed. Nobody reads, forges or takes elsewhere what is in them, and
//! nobody has to remember them here.

use aws_lc_rs::aead::AES_256_GCM;
use aws_lc_rs::aead::Aad;
use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::aead::Nonce;
use aws_lc_rs::aead::RandomizedNonceKey;
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

use crate::scim::Error;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::store::Position;

/// The key of this process: after a restart paging begins anew. It hides what a list is sorted by, which are people's
/// values, as well as it proves where a cursor comes from.
pub struct Cursors {
    key: RandomizedNonceKey,
}

/// What is in a cursor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Seconds since 1970.
    pub issued: i64,
    /// How long the pages are.
    pub count: u64,
    /// Of a query over several resource types the one that comes next.
    pub kind: ResourceType,
    /// Behind which of its resources; `None`: at its begin.
    pub after: Option<Position>,
}

impl Cursors {
    pub fn new() -> Result<Cursors, Unspecified> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key)?;
        Ok(Cursors { key: RandomizedNonceKey::new(&AES_256_GCM, &key)? })
    }

    /// A cursor that opens for the same `question` alone: tenant, workspace and parameters.
    pub fn seal(&self, place: &Place, question: &str) -> Result<String, Error> {
        let failed = || Error::new(500, "the next page could not be marked; use startIndex");
        let mut sealed = serde_json::to_vec(place).map_err(|_| failed())?;
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(question.as_bytes()), &mut sealed)
            .map_err(|_| failed())?;
        sealed.extend_from_slice(nonce.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Where the page begins. Nothing tells a cursor that was forged from one of somebody else (SCIM reference, K5).
    pub fn open(&self, cursor: &str, question: &str, now: Timestamp, wait: Duration) -> Result<Place, Error> {
        let foreign = || Error::bad(ScimType::InvalidCursor, "this is no cursor of this query");
        let place = self.unsealed(cursor, question).ok_or_else(foreign)?;
        let age = u64::try_from(now.as_second().saturating_sub(place.issued)).unwrap_or(0);
        match age > wait.as_secs() {
            true => {
                let most = wait.as_secs();
                let detail =
                    format!("the cursor is older than {most} s (setting scim.cursor_wait); begin anew");
                Err(Error::bad(ScimType::ExpiredCursor, detail))
            }
            false => Ok(place),
        }
    }

    fn unsealed(&self, cursor: &str, question: &str) -> Option<Place> {
        let mut sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text_bytes = sealed.len().checked_sub(NONCE_LEN)?;
        let (sealed, nonce) = sealed.split_at_mut_checked(text_bytes)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key.open_in_place(nonce, Aad::from(question.as_bytes()), sealed).ok()?;
        serde_json::from_slice(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn place() -> Place {
        let after =
            Some(Position::Sorted { key: "Lee".into(), id: crate::scim::ResourceId("u1".to_owned()) });
        Place { issued: 1_700_000_000, count: 10, kind: ResourceType::User, after }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_cursor_is_plain_letters_and_hides_what_is_in_it() {
        let cursors = Cursors::new().expect("a key");
        let cursor = cursors.seal(&place(), "users").expect("a cursor");
        assert!(cursor.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)), "{cursor}");
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).expect("base64url");
        assert!(!bytes.windows(3).any(|window| window == b"Lee"));
        assert_eq!(cursors.open(&cursor, "users", at(1_700_003_600), HOUR), Ok(place()));
        assert_ne!(cursors.seal(&place(), "users"), Ok(cursor), "no two are alike");
    }

    #[test]
    fn a_cursor_opens_for_its_own_query_in_its_own_time() {
        let (cursors, others) = (Cursors::new().expect("a key"), Cursors::new().expect("a key"));
        let cursor = cursors.seal(&place(), "users").expect("a cursor");
        let refused = |cursors: &Cursors, cursor: &str, question: &str, second| {
            let error = cursors.open(cursor, question, at(second), HOUR).expect_err("no cursor");
            (error.kind.map(ScimType::word), error.detail)
        };
        let foreign = (Some("invalidCursor"), "this is no cursor of this query".to_owned());
        let now = 1_700_000_001;
        assert_eq!(refused(&cursors, &cursor, "groups", now), foreign);
        assert_eq!(refused(&others, &cursor, "users", now), foreign, "of another process");
        let mut forged = cursor.clone();
        forged.replace_range(4..5, if &cursor[4..5] == "A" { "B" } else { "A" });
        for cursor in [forged.as_str(), &cursor[1..], "", "x", "*", &"A".repeat(64)] {
            assert_eq!(refused(&cursors, cursor, "users", now), foreign, "{cursor}");
        }
        let expired = "the cursor is older than 3600 s (setting scim.cursor_wait); begin anew".to_owned();
        assert_eq!(refused(&cursors, &cursor, "users", 1_700_003_601), (Some("expiredCursor"), expired));
    }
}
