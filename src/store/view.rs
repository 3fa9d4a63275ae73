//! One consistent look at the state, for several questions of one request: whose it is, and what it asks for.

use jiff::Timestamp;
use rusqlite::Connection;

use super::ListQuery;
use super::Listing;
use super::Resource;
use super::Sql;
use super::Store;
use super::StoreError;
use super::Token;
use super::directory;
use super::tokens;
use crate::scim::ResourceId;
use crate::scim::ResourceType;

/// The state as it was when the look began.
pub struct View<'a> {
    store: &'a Store,
    db: &'a Connection,
}

impl Store {
    /// Runs `f` on one view, on a thread that may wait for the disk. What one request has to ask is asked at once: each
    /// look costs a change of threads and a transaction.
    pub async fn look<T, E>(&self, f: impl FnOnce(&View<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        self.read(move |db| Ok(f(&View { store: &store, db }))).await?
    }
}

impl View<'_> {
    /// Whose token this is; `None` for every text that is not a valid token, after the same work.
    pub fn token(&self, text: &str, now: Timestamp) -> Result<Option<Token>, StoreError> {
        self.named(tokens::recognised(self.db, text, now))
    }

    /// Of a token that was valid once: the job that took over what its tenant pushed.
    pub fn taken_by(&self, text: &str) -> Result<Option<(Token, String)>, StoreError> {
        self.named(tokens::taken_by(self.db, text))
    }

    /// The resource of this id, with the other side of its memberships where asked.
    pub fn resource(
        &self,
        workspace: &str,
        kind: ResourceType,
        id: &ResourceId,
        related: bool,
    ) -> Result<Option<Resource>, StoreError> {
        self.named(directory::one(self.db, workspace, kind, id, related))
    }

    /// One page of a list.
    pub fn list(&self, workspace: &str, query: &ListQuery) -> Result<Listing, StoreError> {
        self.named(directory::listing(self.db, workspace, query))
    }

    fn named<T>(&self, result: Sql<T>) -> Result<T, StoreError> {
        self.store.named(result)
    }
}
