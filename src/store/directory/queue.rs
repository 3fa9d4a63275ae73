//! Group commit: what is written at the same time is one transaction, so that one flush to disk carries it all.
//!
//! Nobody drains the queue by profession: whoever wrote takes a turn at the writer, which is handed out in the order of
//! asking, and carries out all that waits then. So there is no task that could die, and the engine's own transactions
//! wait no longer than one such turn.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;

use rusqlite::Connection;
use rusqlite::Transaction;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::Author;
use super::Write;
use super::Written;
use super::rows;
use super::unique;
use super::write;
use crate::scim::Error;
use crate::store::Policy;
use crate::store::Sql;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::database::is_over;
use crate::store::database::transact;
use crate::store::database::within;

/// Writes of one turn: enough that a flush costs each of them little, few enough that others soon have theirs.
const TURN: usize = 1_000;

/// One outcome for each write.
type Outcomes = Vec<Result<Written, Error>>;

/// Writes that wait for the next turn.
#[derive(Default)]
pub(in crate::store) struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
}

/// What one caller wants written.
pub(super) struct Request {
    pub workspace: String,
    pub policy: Policy,
    pub author: Author,
    pub writes: Vec<Write>,
}

struct Waiting {
    request: Request,
    answer: oneshot::Sender<Result<Outcomes, StoreError>>,
}

impl Store {
    /// Waits until the request is durable, or known not to be done. Who stops waiting before its turn has changed
    /// nothing.
    pub(super) async fn enqueue(&self, request: Request) -> Result<Outcomes, StoreError> {
        let (answer, mut answered) = oneshot::channel();
        self.queue().push(Waiting { request, answer });
        loop {
            self.with_writer(|store, writer| store.queue().turn(store, writer)).await?;
            match answered.try_recv() {
                Ok(outcomes) => return outcomes,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => return Err(StoreError::Stopped),
            }
        }
    }
}

impl Queue {
    fn push(&self, waiting: Waiting) {
        self.lock().push_back(waiting);
    }

    /// Carries out what waits, in one transaction, and answers everybody.
    fn turn(&self, store: &Store, writer: &mut Connection) -> Result<(), StoreError> {
        let (answers, requests): (Vec<_>, Vec<_>) =
            self.take().into_iter().map(|waiting| (waiting.answer, waiting.request)).unzip();
        if requests.is_empty() {
            return Ok(());
        }
        let carried_out = transact(writer, |tx| {
            requests.into_iter().map(|request| carry_out(tx, request)).collect::<Sql<Vec<_>>>()
        });
        match carried_out {
            Ok(outcomes) => {
                for (answer, outcome) in answers.into_iter().zip(outcomes) {
                    // Who does not wait any more learns it by reading.
                    let _ = answer.send(store.named(outcome));
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(StoreError::sqlite(store.path(), &error)));
                }
            }
        }
        Ok(())
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.lock();
        waiting.retain(|waiting| !waiting.answer.is_closed());
        let mut writes = 0;
        let turn = waiting.iter().take_while(|next| {
            let first = writes == 0;
            writes += next.request.writes.len().max(1);
            first || writes <= TURN
        });
        let count = turn.count();
        waiting.drain(..count).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        // Nothing that can panic runs under this lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The inner result is the request's own: its failure undoes it alone. The outer one ends the whole turn.
fn carry_out(tx: &Transaction<'_>, request: Request) -> Sql<Sql<Outcomes>> {
    let Request { workspace, policy, author, writes } = request;
    let outcome = within(tx, "one_request", || {
        let place = rows::ensure_workspace(tx, &workspace)?;
        let place = write::Place { tx, workspace: place, name: &workspace, policy: &policy, author: &author };
        unique::follow_rules(&place)?;
        writes.into_iter().map(|write| place.carry_out(write)).collect()
    })?;
    match outcome {
        Err(error) if is_over(tx) => Err(error),
        outcome => Ok(outcome),
    }
}
