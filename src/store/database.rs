//! The file itself: opening, the one place where SQL runs, private copies, leases.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use tokio::sync::OwnedMutexGuard;

use super::Policy;
use super::Sql;
use super::StoreError;
use super::crash;
use super::directory::Queue;
use super::functions;
use super::migrate::migrate;
use super::settings;

/// Page cache of a connection in KiB: random ids thrash the unique index with SQLite's 2 MiB default
/// (performance reference, section 4).
const CACHE_KIB: i64 = 16 * 1024;
/// What the write-ahead log keeps of its length between two bursts.
const LOG_BYTES: i64 = 16 << 20;
/// The directories of private copies are called so, with the process and a number.
const SCRATCH: &str = "rosterd-plan-";
/// How long a statement waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(30);

/// The state of all jobs and workspaces. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// By workspace, as the settings say.
    pub(super) policies: Arc<BTreeMap<String, Policy>>,
}

struct Inner {
    path: PathBuf,
    /// Idle read-only connections; more are opened when they are all in use. They are closed before the writer:
    /// only a connection that may write folds the log back into the file when it is the last.
    readers: Mutex<Vec<Connection>>,
    /// Handed out in the order of asking, so that pushes and jobs do not starve each other.
    writer: Arc<tokio::sync::Mutex<Connection>>,
    queue: Queue,
    /// An in-memory database has one connection for everything.
    in_memory: bool,
    /// Removed when the last clone is dropped: the home of a private copy.
    scratch: Option<PathBuf>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(directory) = &self.scratch {
            // Nothing to do about a failure here: the directory holds a copy, and is ours alone.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

impl Store {
    /// Opens the file, makes it where it is missing, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(directory) = directory {
            std::fs::create_dir_all(directory)
                .map_err(|source| StoreError::Directory { path: directory.to_owned(), source })?;
        }
        Store::open_file(path, None)
    }

    /// An empty state that lives as long as its last clone.
    pub fn in_memory() -> Result<Store, StoreError> {
        let path = PathBuf::from(":memory:");
        let named = |error| StoreError::sqlite(&path, &error);
        let mut writer = Connection::open_in_memory().map_err(named)?;
        tune(&writer).map_err(named)?;
        migrate(&mut writer, &path)?;
        let inner = Inner {
            path,
            writer: Arc::new(writer.into()),
            readers: Mutex::default(),
            queue: Queue::default(),
            in_memory: true,
            scratch: None,
        };
        Ok(Store { inner: Arc::new(inner), policies: Arc::default() })
    }

    fn open_file(path: &Path, scratch: Option<PathBuf>) -> Result<Store, StoreError> {
        let named = |error| StoreError::sqlite(path, &error);
        private(path)?;
        let mut writer = Connection::open(path).map_err(named)?;
        tune(&writer).map_err(named)?;
        let mode: String =
            writer.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(named)?;
        if mode != "wal" {
            return Err(StoreError::NoWal { path: path.to_owned(), mode });
        }
        // FULL: a power cut must not undo an intent that was written before its request was sent (P5). Commits
        // come once a batch, so the price is a few milliseconds for hundreds of changes.
        writer.pragma_update(None, "synchronous", "FULL").map_err(named)?;
        migrate(&mut writer, path)?;
        let inner = Inner {
            path: path.to_owned(),
            writer: Arc::new(writer.into()),
            readers: Mutex::default(),
            queue: Queue::default(),
            in_memory: false,
            scratch,
        };
        Ok(Store { inner: Arc::new(inner), policies: Arc::default() })
    }

    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// A copy that nobody else sees and that is gone when its last clone is dropped: what a dry run works on, so
    /// that it cannot write to the state (P3).
    pub async fn private_copy(&self) -> Result<Store, StoreError> {
        self.with_writer(|store, source| {
            let directory = scratch_directory()?;
            let path = directory.join("copy.db");
            let named = |error| StoreError::sqlite(&path, &error);
            let copied = (|| {
                let mut copy = Connection::open(&path).map_err(named)?;
                let backup = rusqlite::backup::Backup::new(source, &mut copy).map_err(named)?;
                // In one step: between two, a daemon that writes would make the copy begin anew, again and again.
                backup.run_to_completion(i32::MAX, Duration::ZERO, None).map_err(named)
            })();
            match copied {
                Ok(()) => {
                    let copy = Store::open_file(&path, Some(directory))?;
                    Ok(Store { policies: store.policies.clone(), ..copy })
                }
                Err(error) => {
                    let _ = std::fs::remove_dir_all(&directory);
                    Err(error)
                }
            }
        })
        .await
    }

    /// From now on what is decided is decided under these settings, as `config show` prints them. Nothing is written yet.
    pub fn under_settings(self, text: &str) -> Result<Store, StoreError> {
        match self.inner.writer.try_lock() {
            Ok(writer) => self.named(settings::take(&writer, text))?,
            Err(_) => return Err(StoreError::Stopped),
        }
        Ok(self)
    }

    /// Runs `f` in one transaction; an error rolls it back.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Transaction<'_>) -> Sql<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.with_writer(|store, writer| store.named(transact(writer, f))).await
    }

    /// The one connection that writes, in the order of asking. Who writes through another one holds it as well: SQLite's
    /// own waiting is not fair.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<Connection> {
        Arc::clone(&self.inner.writer).lock_owned().await
    }

    /// Runs `f` with the one connection that writes.
    pub(super) async fn with_writer<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Store, &mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut writer = self.turn().await;
        let store = self.clone();
        blocking(move || {
            let value = f(&store, &mut writer);
            // Before the store, whose last clone this may be.
            drop(writer);
            value
        })
        .await
    }

    /// Runs `f` on one consistent view of the state.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Sql<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.inner.in_memory {
            return self.with_writer(|store, connection| store.named(f(connection))).await;
        }
        let store = self.clone();
        blocking(move || {
            let connection = store.reader()?;
            let value = store.named(viewed(&connection, f))?;
            // One that failed is closed, and its transaction with it.
            lock(&store.inner.readers).push(connection);
            Ok(value)
        })
        .await
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        if let Some(idle) = lock(&self.inner.readers).pop() {
            return Ok(idle);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        self.named((|| {
            let connection = Connection::open_with_flags(&self.inner.path, flags)?;
            tune(&connection)?;
            Ok(connection)
        })())
    }

    /// One more connection that may write, for a staging area with temporary tables of its own.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        self.named((|| {
            let connection = Connection::open(&self.inner.path)?;
            tune(&connection)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            Ok(connection)
        })())
    }

    pub(super) fn named<T>(&self, result: Sql<T>) -> Result<T, StoreError> {
        result.map_err(|error| StoreError::sqlite(&self.inner.path, &error))
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    /// Takes every named lease, or none: one a job, one a target identity. A crash gives them back.
    pub fn lease(&self, names: &[String]) -> Result<Lease, StoreError> {
        let mut files = Vec::new();
        if self.inner.in_memory {
            return Ok(Lease { files });
        }
        let directory = self.inner.path.with_extension("leases");
        let failed = |source| StoreError::Directory { path: directory.clone(), source };
        std::fs::create_dir_all(&directory).map_err(failed)?;
        give_to_owner_of(&self.inner.path, &directory).map_err(failed)?;
        for name in names {
            let digest = blake3::hash(name.as_bytes()).to_hex();
            let path = directory.join(&digest[..16]);
            let file = File::create(&path).map_err(failed)?;
            give_to_owner_of(&self.inner.path, &path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => files.push(file),
                Err(std::fs::TryLockError::WouldBlock) => {
                    return Err(StoreError::Busy { what: name.clone() });
                }
                Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        Ok(Lease { files })
    }
}

/// Held while it lives; the operating system gives the locks back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lease {
    files: Vec<File>,
}

/// Said, not left to closing: a process that is being started may still hold a copy of the file for a moment.
impl Drop for Lease {
    fn drop(&mut self) {
        for file in &self.files {
            if let Err(error) = file.unlock() {
                tracing::debug!(%error, "a lease ends with its file");
            }
        }
    }
}

/// The state names people, so a new one is for its owner alone; its log files take over the mode.
fn private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |source| StoreError::Directory { path: path.to_owned(), source };
    File::options().append(true).create(true).mode(0o600).open(path).map(drop).map_err(failed)
}

/// What root makes beside the state belongs to the state's owner, as with SQLite's own files: else a command of
/// the administrator would lock the service out.
fn give_to_owner_of(state: &Path, made: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (state, made_by) = (std::fs::metadata(state)?, std::fs::metadata(made)?);
    if (state.uid(), state.gid()) == (made_by.uid(), made_by.gid()) {
        return Ok(());
    }
    match std::os::unix::fs::chown(made, Some(state.uid()), Some(state.gid())) {
        // Anybody else shares a directory by arrangement of their own.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        outcome => outcome,
    }
}

/// One transaction; an error rolls it back, and so does a panic.
pub(super) fn transact<T>(writer: &mut Connection, f: impl FnOnce(&Transaction<'_>) -> Sql<T>) -> Sql<T> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = f(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// One view. It ends with a commit, not a rollback: SQLite compiles every statement of the connection anew after a
/// rollback for which it thinks that the schema may have changed, and that costs more than most reads.
fn viewed<T>(reader: &Connection, f: impl FnOnce(&Connection) -> Sql<T>) -> Sql<T> {
    let run = |sql| reader.prepare_cached(sql)?.execute([]);
    run("BEGIN DEFERRED")?;
    let value = f(reader)?;
    run("COMMIT")?;
    Ok(value)
}

/// Runs `f` in a savepoint of this name: its error undoes what it did and nothing else. Where the disk is full or broken
/// SQLite ends the whole transaction itself; `is_over` tells that, and the error of `f` says why.
pub(super) fn within<T, E>(
    tx: &Transaction<'_>,
    name: &str,
    f: impl FnOnce() -> Result<T, E>,
) -> Sql<Result<T, E>> {
    let run = |sql: String| tx.prepare_cached(&sql)?.execute([]);
    run(format!("SAVEPOINT {name}"))?;
    let outcome = f();
    if is_over(tx) {
        return Ok(outcome);
    }
    if outcome.is_err() {
        run(format!("ROLLBACK TO {name}"))?;
    }
    run(format!("RELEASE {name}"))?;
    Ok(outcome)
}

/// Whether SQLite has ended the transaction by itself: nothing more may be done in it.
pub(super) fn is_over(tx: &Transaction<'_>) -> bool {
    tx.is_autocommit()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that can panic runs under this lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tune(connection: &Connection) -> Sql<()> {
    connection.busy_timeout(BUSY)?;
    functions::register(connection)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten, so that an erasure leaves nothing in pages that are free.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    if let Some(pages) = crash::pages_max() {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    // A first load makes a long log; it is cut when it has been copied back, instead of keeping its length.
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(f).await.map_err(|_| StoreError::Stopped)?
}

/// Copies name people: those of processes that were killed do not stay. What is not ours cannot be removed, and is
/// left.
fn sweep(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(SCRATCH)?.split('-').next()?.parse::<u32>().ok());
        let is_over = |process: u32| !Path::new("/proc").join(process.to_string()).exists();
        if process.is_some_and(is_over) && Path::new("/proc/self").exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A new directory that only we may enter.
fn scratch_directory() -> Result<PathBuf, StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let home = std::env::temp_dir();
    sweep(&home);
    let path = home.join(format!("{SCRATCH}{}-{number}", std::process::id()));
    // A directory of an earlier process with our number is not in use any more.
    let _ = std::fs::remove_dir_all(&path);
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&path)
        .map_err(|source| StoreError::Directory { path: path.clone(), source })?;
    Ok(path)
}
