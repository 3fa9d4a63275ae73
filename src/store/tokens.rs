//! Push tokens: shown once, kept as hashes, compared in constant time (SCIM reference, section 14: S1, S2).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::SHA256;
use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use aws_lc_rs::digest::digest;
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;
use rusqlite::types::Type;

use super::Rights;
use super::Sql;
use super::Store;
use super::StoreError;
use super::decisions::Decision;
use super::decisions::decided_of_token;
use super::directory::ensure_workspace;
use super::rights::NoRight;
use super::values;
use crate::scim::Dialect;

/// The words in front, by which leak scanners know our tokens.
const PREFIX: &str = "rst";
const ID_BYTES: usize = 6;
/// 256 bits: nobody guesses them, so a plain hash keeps them.
const SECRET_BYTES: usize = 32;
/// `last_used` is written at most once in so many seconds: a request must not cost a write.
const LAST_USED_SECONDS: i64 = 3600;
/// Enough to tell Entra from Okta and their versions.
const CLIENT_MAX: usize = 120;

/// What is known of a token; the secret is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The public part, safe in logs.
    pub id: String,
    pub workspace: String,
    pub dialect: Dialect,
    /// The client that it was made for; tokens that follow one another have the same.
    pub tenant: String,
    pub rights: Rights,
    /// Attributes that it may not write, by SCIM path.
    pub denied: Vec<String>,
    pub created: Timestamp,
    /// Who made it, and why.
    pub who: String,
    pub reason: String,
    pub expires: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
    /// To the hour.
    pub last_used: Option<Timestamp>,
    /// The `User-Agent` of the last use, cut and printable.
    pub client: Option<String>,
    /// The token that was made to follow it, and when.
    pub successor: Option<(String, Timestamp)>,
}

impl Token {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.state(now) == TokenState::Valid
    }

    pub fn state(&self, now: Timestamp) -> TokenState {
        match (self.revoked, self.expires) {
            (Some(_), _) => TokenState::Revoked,
            (None, Some(expires)) if expires <= now => TokenState::Expired,
            _ => TokenState::Valid,
        }
    }
}

/// Whether a token opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    Valid,
    Expired,
    Revoked,
}

impl TokenState {
    pub fn word(self) -> &'static str {
        match self {
            TokenState::Valid => "valid",
            TokenState::Expired => "expired",
            TokenState::Revoked => "revoked",
        }
    }
}

/// What is asked for when a token is made.
#[derive(Clone, Debug)]
pub struct TokenWish {
    pub workspace: String,
    pub dialect: Dialect,
    pub tenant: String,
    pub rights: Rights,
    pub denied: Vec<String>,
    pub expires: Option<Timestamp>,
    pub who: String,
    pub reason: String,
}

impl TokenWish {
    /// For the tenant `push`, with the rights of one that pushes, and without an end.
    pub fn new(
        workspace: impl Into<String>,
        dialect: Dialect,
        who: impl Into<String>,
        reason: impl Into<String>,
    ) -> TokenWish {
        TokenWish {
            workspace: workspace.into(),
            dialect,
            tenant: "push".to_owned(),
            rights: Rights::PUSH,
            denied: Vec::new(),
            expires: None,
            who: who.into(),
            reason: reason.into(),
        }
    }
}

/// The whole token, for the one time that it is shown. `Debug` does not.
#[derive(Clone)]
pub struct NewToken {
    pub id: String,
    /// `rst_<id>_<secret>`.
    pub text: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewToken({})", self.id)
    }
}

impl Store {
    /// Makes a token of a workspace, which is made as well where it does not exist.
    pub async fn create_token(&self, wish: TokenWish, now: Timestamp) -> Result<NewToken, StoreError> {
        let made = Made::new()?;
        let token = made.token.clone();
        self.write(move |tx| {
            insert(tx, &made, &wish, now)?;
            let what = format!("token create {} for tenant {}: {}", made.token.id, wish.tenant, wish.rights);
            noted(tx, &made.token.id, &what, (&wish.who, &wish.reason), now)
        })
        .await?;
        Ok(token)
    }

    /// Whose token this is; `None` for every text that is not a valid token, after the same work. `client` is what the
    /// request says of the program that sends it.
    pub async fn recognise_token(
        &self,
        text: &str,
        client: &str,
        now: Timestamp,
    ) -> Result<Option<Token>, StoreError> {
        let text = text.to_owned();
        let token = self.read(move |db| recognised(db, &text, now)).await?;
        if let Some(token) = &token {
            self.note_token_use(token, client, now).await?;
        }
        Ok(token)
    }

    /// Keeps when a token was used, to the hour, and by what program.
    pub async fn note_token_use(
        &self,
        token: &Token,
        client: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let fresh = |used: Timestamp| now.as_second() - used.as_second() < LAST_USED_SECONDS;
        if token.last_used.is_some_and(fresh) {
            return Ok(());
        }
        let (id, client) = (token.id.clone(), printable(client));
        // Of many requests that come at once, the first one writes: the others find it done, and change nothing.
        self.write(move |tx| {
            tx.execute(
                "UPDATE tokens SET last_used = ?2, client = ?3
                  WHERE id = ?1 AND (last_used IS NULL OR last_used <= ?2 - ?4)",
                params![id, now.as_second(), client, LAST_USED_SECONDS],
            )
        })
        .await
        .map(drop)
    }

    /// All tokens, the oldest first, those that are over included.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.read(move |db| {
            let sql = format!("{SELECT} ORDER BY tokens.rowid");
            let mut statement = db.prepare_cached(&sql)?;
            let tokens = statement.query_map([], token)?;
            tokens.collect()
        })
        .await
    }
}

/// A token that is not kept yet.
pub(super) struct Made {
    pub token: NewToken,
    hash: Vec<u8>,
}

impl Made {
    pub fn new() -> Result<Made, StoreError> {
        let id = hex(&random::<ID_BYTES>()?);
        let secret = hex(&random::<SECRET_BYTES>()?);
        let hash = hash(&secret);
        Ok(Made { token: NewToken { text: format!("{PREFIX}_{id}_{secret}"), id }, hash })
    }
}

pub(super) fn insert(db: &Connection, made: &Made, wish: &TokenWish, now: Timestamp) -> Sql<()> {
    let workspace = ensure_workspace(db, &wish.workspace)?;
    let lasts = wish.expires.map(|expires| expires.as_second() - now.as_second());
    db.execute(
        "INSERT INTO tokens (id, workspace, dialect, hash, created, expires, who, reason, tenant, scopes, denied,
                             lifetime)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            made.token.id,
            workspace,
            wish.dialect.word(),
            made.hash,
            now.as_second(),
            wish.expires.map(Timestamp::as_second),
            wish.who,
            wish.reason,
            wish.tenant,
            wish.rights.to_string(),
            wish.denied.join(","),
            lasts
        ],
    )
    .map(drop)
}

/// What a person did with a token is an entry of the log of its workspace.
pub(super) fn noted(
    tx: &Transaction<'_>,
    id: &str,
    what: &str,
    (who, reason): (&str, &str),
    now: Timestamp,
) -> Sql<()> {
    let workspace = tx.query_row("SELECT workspace FROM tokens WHERE id = ?1", [id], |row| row.get(0))?;
    decided_of_token(tx, workspace, id, &Decision { what, who, reason, now_second: now.as_second() })
}

pub(super) const SELECT: &str =
    "SELECT tokens.id, name, dialect, created, expires, revoked, last_used, who, reason, tenant, scopes, denied, client,
            successor, rotated, hash
    FROM tokens JOIN workspaces ON workspaces.id = tokens.workspace";

/// The valid token of this text.
pub(super) fn recognised(db: &Connection, text: &str, now: Timestamp) -> Sql<Option<Token>> {
    let (id, secret) = parts(text);
    // A token that does not exist is compared as well, with what nothing hashes to.
    let (token, kept) = match with_hash(db, id)? {
        Some((token, kept)) => (Some(token), kept),
        None => (None, vec![0; SHA256_OUTPUT_LEN]),
    };
    let equal = verify_slices_are_equal(&hash(secret), &kept).is_ok();
    Ok(token.filter(|token| equal && token.is_valid(now)))
}

/// The job that took over what the tenant of this token pushed, told to nobody but whoever has the token.
pub(super) fn taken_by(db: &Connection, text: &str) -> Sql<Option<(Token, String)>> {
    let (id, secret) = parts(text);
    let Some((token, kept)) = with_hash(db, id)? else { return Ok(None) };
    if verify_slices_are_equal(&hash(secret), &kept).is_err() {
        return Ok(None);
    }
    let sql = "SELECT taken_by FROM tokens WHERE id = ?1";
    let job: Option<String> = db.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
    Ok(job.map(|job| (token, job)))
}

fn with_hash(db: &Connection, id: &str) -> Sql<Option<(Token, Vec<u8>)>> {
    db.prepare_cached(&format!("{SELECT} WHERE tokens.id = ?1"))?
        .query_row([id], |row| Ok((token(row)?, row.get(15)?)))
        .optional()
}

pub(super) fn token(row: &Row<'_>) -> Sql<Token> {
    Ok(Token {
        id: row.get(0)?,
        workspace: row.get(1)?,
        dialect: values::word(row, 2)?,
        created: second(row, 3)?.unwrap_or(Timestamp::UNIX_EPOCH),
        expires: second(row, 4)?,
        revoked: second(row, 5)?,
        last_used: second(row, 6)?,
        who: row.get(7)?,
        reason: row.get(8)?,
        tenant: row.get(9)?,
        rights: rights(row, 10)?,
        denied: paths(row, 11)?,
        client: row.get(12)?,
        successor: row.get::<_, Option<String>>(13)?.zip(second(row, 14)?),
    })
}

fn rights(row: &Row<'_>, column: usize) -> Sql<Rights> {
    let words: String = row.get(column)?;
    words.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::<NoRight>::new(error))
    })
}

fn paths(row: &Row<'_>, column: usize) -> Sql<Vec<String>> {
    let list: String = row.get(column)?;
    Ok(list.split(',').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn second(row: &Row<'_>, column: usize) -> Sql<Option<Timestamp>> {
    let second: Option<i64> = row.get(column)?;
    let time = second.map(Timestamp::from_second).transpose();
    time.map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}

/// What a client says of itself is for people to read: of a bounded length, and nothing that moves a terminal.
fn printable(client: &str) -> Option<String> {
    let text: String = client.chars().filter(|c| matches!(c, ' '..='~')).take(CLIENT_MAX).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// The two parts of a token; what is not one has empty parts, which no token has.
fn parts(text: &str) -> (&str, &str) {
    let rest = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_'));
    rest.and_then(|rest| rest.split_once('_')).unwrap_or_default()
}

fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], StoreError> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::Randomness)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
