//! How tokens follow one another and end: rotation with an overlap, revocation, and the end told ahead.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use super::Sql;
use super::Store;
use super::StoreError;
use super::tokens;
use super::tokens::Made;
use super::tokens::NewToken;
use super::tokens::SELECT;
use super::tokens::Token;
use super::tokens::TokenState;
use super::tokens::TokenWish;

const DAY_SECONDS: i64 = 86_400;
/// The days before the end at which it is told, the last first.
const STAGES: [i64; 3] = [3, 14, 30];

/// How a token is followed by another.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// How long the old one still opens what it opened.
    pub overlap: Duration,
    /// When the new one ends; `None`: it lasts as long as the old one was made for.
    pub expires: Option<Timestamp>,
    pub who: String,
    pub reason: String,
}

/// Why a token was not rotated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRotated {
    #[error("there is no token `{id}`; `rosterd token list` shows them")]
    Unknown { id: String },
    #[error("the token {id} is {} already; make a new one with `rosterd token create`", .state.word())]
    Over { id: String, state: TokenState },
    #[error(
        "the tenant `{tenant}` has two valid tokens already, {id} and {other}; revoke the one that nobody uses \
         (`rosterd token list` shows when each was used last)"
    )]
    TwoAlready { id: String, other: String, tenant: String },
}

impl Token {
    /// What is to be said of its end, where that is near. The words change 30, 14 and 3 days before it and at no other
    /// time, so that a note that is the same again need not be told again. Nothing where a successor is in use.
    pub fn note(&self, now: Timestamp) -> Option<String> {
        let expires = self.expires.filter(|_| self.is_valid(now))?;
        let left = expires.as_second() - now.as_second();
        let days = STAGES.into_iter().find(|days| left <= days * DAY_SECONDS)?;
        let cure = match &self.successor {
            None => format!("make its successor: rosterd token rotate {}", self.id),
            Some((_, made)) if self.last_used.is_none_or(|used| used <= *made) => return None,
            Some((successor, _)) => {
                format!("it is still used, so give its client the token that follows it, {successor}")
            }
        };
        let (id, tenant, workspace) = (&self.id, &self.tenant, &self.workspace);
        let day = expires.strftime("%Y-%m-%d");
        Some(format!(
            "token {id} of tenant {tenant}, workspace {workspace}, expires on {day}, within {days} days; {cure}"
        ))
    }
}

impl Store {
    /// Makes a token that follows another: same workspace, tenant, dialect and rights. The old one ends after the
    /// overlap, or earlier where it was to end earlier. A tenant has two valid tokens at most.
    pub async fn rotate_token(
        &self,
        id: &str,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Result<NewToken, NotRotated>, StoreError> {
        let made = Made::new()?;
        let id = id.to_owned();
        self.write(move |tx| {
            let old = match rotatable(tx, &id, now)? {
                Ok(old) => old,
                Err(why) => return Ok(Err(why)),
            };
            let wish = successor(tx, &old, &rotation, now)?;
            tokens::insert(tx, &made, &wish, now)?;
            let overlap = i64::try_from(rotation.overlap.as_secs()).unwrap_or(i64::MAX);
            let ends = now.as_second().saturating_add(overlap);
            tx.execute(
                "UPDATE tokens SET expires = min(coalesce(expires, ?2), ?2), successor = ?3, rotated = ?4 WHERE id = ?1",
                params![id, ends, made.token.id, now.as_second()],
            )?;
            let what = format!("token rotate {id} to {}", made.token.id);
            tokens::noted(tx, &id, &what, (&rotation.who, &rotation.reason), now)?;
            Ok(Ok(made.token))
        })
        .await
    }

    /// From now on the token is nobody's. `false` where there is no such token, or it was revoked before.
    pub async fn revoke_token(
        &self,
        id: &str,
        who: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, who, reason) = (id.to_owned(), who.to_owned(), reason.to_owned());
        self.write(move |tx| {
            let changed = tx.execute(
                "UPDATE tokens SET revoked = ?2, revoked_by = ?3, revoked_why = ?4 WHERE id = ?1 AND revoked IS NULL",
                params![id, now.as_second(), who, reason],
            )?;
            if changed > 0 {
                tokens::noted(tx, &id, &format!("token revoke {id}"), (&who, &reason), now)?;
            }
            Ok(changed > 0)
        })
        .await
    }
}

fn rotatable(db: &Connection, id: &str, now: Timestamp) -> Sql<Result<Token, NotRotated>> {
    let old = db
        .prepare_cached(&format!("{SELECT} WHERE tokens.id = ?1"))?
        .query_row([id], tokens::token)
        .optional()?;
    let Some(old) = old else { return Ok(Err(NotRotated::Unknown { id: id.to_owned() })) };
    match old.state(now) {
        TokenState::Valid => {}
        state => return Ok(Err(NotRotated::Over { id: old.id, state })),
    }
    let other: Option<String> = db
        .prepare_cached(
            "SELECT tokens.id FROM tokens JOIN workspaces ON workspaces.id = tokens.workspace
              WHERE name = ?1 AND tenant = ?2 AND tokens.id <> ?3 AND revoked IS NULL
                AND (expires IS NULL OR expires > ?4) LIMIT 1",
        )?
        .query_row(params![old.workspace, old.tenant, old.id, now.as_second()], |row| row.get(0))
        .optional()?;
    Ok(match other {
        Some(other) => Err(NotRotated::TwoAlready { id: old.id, other, tenant: old.tenant }),
        None => Ok(old),
    })
}

fn successor(db: &Connection, old: &Token, rotation: &Rotation, now: Timestamp) -> Sql<TokenWish> {
    let lasts: Option<i64> =
        db.query_row("SELECT lifetime FROM tokens WHERE id = ?1", [&old.id], |row| row.get(0))?;
    let as_before =
        lasts.and_then(|lasts| Timestamp::from_second(now.as_second().saturating_add(lasts)).ok());
    Ok(TokenWish {
        workspace: old.workspace.clone(),
        dialect: old.dialect,
        tenant: old.tenant.clone(),
        rights: old.rights,
        denied: old.denied.clone(),
        expires: rotation.expires.or(as_before),
        who: rotation.who.clone(),
        reason: rotation.reason.clone(),
    })
}
