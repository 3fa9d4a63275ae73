//! An embedded workspace as a target: our own SCIM directory, written in one transaction a batch.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use futures_util::stream::BoxStream;
use futures_util::stream::StreamExt;
use jiff::Timestamp;

use super::Found;
use super::Listed;
use super::Lookup;
use super::Operation;
use super::Outcome;
use super::ServiceProvider;
use super::TargetError;
use crate::model::Finding;
use crate::model::Grade;
use crate::scim::Compare;
use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::Filter;
use crate::scim::Kind;
use crate::scim::MembersEdit;
use crate::scim::Patch;
use crate::scim::Path;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::incoming;
use crate::scim::resource;
use crate::store::Author;
use crate::store::ListQuery;
use crate::store::OtherOwners;
use crate::store::Owner;
use crate::store::Position;
use crate::store::Resource;
use crate::store::Store;
use crate::store::Write;
use crate::store::WriteAct;
use crate::store::Written;

/// One transaction each: enough that its flush to disk is cheap, few enough that readers do not wait.
const BATCH: usize = 500;
/// Resources of a list that are in memory at once.
const PAGE: u64 = 1_000;
/// More equal matches than this change no decision.
const MATCHES_MAX: u64 = 10;

/// Makes ids that were never used before.
pub type Ids = Arc<dyn Fn() -> String + Send + Sync>;
/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A workspace of our own store.
pub struct WorkspaceTarget {
    store: Store,
    name: String,
    owner: String,
    /// The tenant whose resources may become the job's.
    passes: Option<String>,
    ids: Ids,
    clock: Clock,
}

impl WorkspaceTarget {
    pub fn new(store: Store, name: impl Into<String>, ids: Ids, clock: Clock) -> WorkspaceTarget {
        WorkspaceTarget { store, name: name.into(), owner: "pull".to_owned(), passes: None, ids, clock }
    }

    /// Whose name the resources that are created bear: the job's.
    pub fn owned_by(self, job: impl Into<String>) -> WorkspaceTarget {
        WorkspaceTarget { owner: job.into(), ..self }
    }

    /// As it is looked at where what this tenant pushed becomes a job's.
    pub fn passing_from(self, tenant: impl Into<String>) -> WorkspaceTarget {
        WorkspaceTarget { passes: Some(tenant.into()), ..self }
    }

    async fn found(&self, lookups: &[Lookup]) -> Result<Vec<Vec<Found>>, TargetError> {
        let filters = lookups.iter().map(filter).collect::<Result<_, _>>()?;
        let found = self.store.find_resources(&self.name, filters, MATCHES_MAX).await?;
        let shown =
            |resources: Vec<Resource>| resources.into_iter().filter_map(|one| self.shown(one)).collect();
        Ok(found.into_iter().map(shown).collect())
    }

    /// In the order of creation: what is written meanwhile moves nobody to another page.
    async fn page(&self, kind: Kind, after: Option<Position>) -> Result<(Listed, Turn), TargetError> {
        let query = ListQuery { after, count: PAGE, ..ListQuery::all(kind.into()) };
        let listing = self.store.list_resources(&self.name, query).await?;
        let found = listing.resources.into_iter().filter_map(|one| self.shown(one)).collect();
        let next = listing.next.map_or(Turn::End, |next| Turn::Page(Some(next)));
        Ok((Listed::Page(found), next))
    }

    /// A grant is nothing that a job looks for.
    fn shown(&self, resource: Resource) -> Option<Found> {
        Some(Found {
            id: resource.meta.id.clone(),
            kind: resource.meta.kind.kind()?,
            active: resource.active(),
            body: resource.shown(""),
            bars: self.bars(&resource.owner),
        })
    }

    /// What another owns is not taken over unless the workspace lets everybody write everything.
    fn bars(&self, owner: &Owner) -> Option<String> {
        let open = self.store.policy(&self.name).other_owners == OtherOwners::Allow;
        let ours = match owner {
            Owner::Job(_) => true,
            Owner::Push(tenant) => self.passes.as_ref() == Some(tenant),
            Owner::Local => false,
        };
        (!open && !ours).then(|| {
            format!(
                "which {owner} owns; workspaces.{}.other_owners = \"allow\" lets jobs take it over",
                self.name
            )
        })
    }

    async fn done(&self, operations: &[Operation]) -> Result<Vec<Outcome>, TargetError> {
        let mut outcomes = Vec::with_capacity(operations.len());
        let mut writes = Vec::new();
        for operation in operations {
            match self.write(operation) {
                Ok(write) => {
                    writes.push(write);
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(refused(error))),
            }
        }
        let author = Author::job(&self.owner, (self.clock)());
        let mut written = self.store.write_resources(&self.name, author, writes).await?.into_iter();
        let outcome = |(operation, known): (&Operation, Option<Outcome>)| {
            // One answer for each write that was handed over, in order.
            known.or_else(|| Some(outcome(operation, written.next()?)))
        };
        Ok(operations.iter().zip(outcomes).filter_map(outcome).collect())
    }

    fn write(&self, operation: &Operation) -> Result<Write, Error> {
        let act = match operation {
            Operation::Create { kind, attributes } => WriteAct::Create {
                kind: (*kind).into(),
                id: ResourceId((self.ids)()),
                incoming: incoming((*kind).into(), Dialect::Tolerant, &resource((*kind).into(), attributes))?,
                dialect: Dialect::Strict,
            },
            Operation::Patch { kind, id, set, add } => {
                let patch = Patch::of_values((*kind).into(), set)?.adding(add)?;
                WriteAct::Patch { id: id.clone(), patch }
            }
            Operation::Delete { kind, id } => WriteAct::Delete { kind: (*kind).into(), id: id.clone() },
            Operation::Members { team, add, remove } => WriteAct::Members {
                team: team.clone(),
                edits: vec![MembersEdit::Add(add.clone()), MembersEdit::Remove(remove.clone())],
            },
        };
        Ok(act.into())
    }
}

impl ServiceProvider for WorkspaceTarget {
    /// The store that holds the pin holds the workspace as well, so its name is enough.
    fn identity(&self) -> String {
        format!("workspace {}", self.name)
    }

    fn find<'a>(&'a self, lookups: &'a [Lookup]) -> BoxFuture<'a, Result<Vec<Vec<Found>>, TargetError>> {
        self.found(lookups).boxed()
    }

    fn get<'a>(
        &'a self,
        ids: &'a [(Kind, ResourceId)],
    ) -> BoxFuture<'a, Result<Vec<Option<Found>>, TargetError>> {
        async move {
            let resources = self.store.resources(&self.name, typed(ids), false).await?;
            Ok(resources.into_iter().map(|resource| resource.and_then(|one| self.shown(one))).collect())
        }
        .boxed()
    }

    fn list(&self, kind: Kind) -> BoxStream<'_, Result<Listed, TargetError>> {
        stream::try_unfold(Turn::Page(None), move |turn| async move {
            match turn {
                Turn::Page(after) => self.page(kind, after).await.map(Some),
                Turn::End => Ok(Some((Listed::End { partial: None }, Turn::Over))),
                Turn::Over => Ok(None),
            }
        })
        .boxed()
    }

    fn members<'a>(
        &'a self,
        team: &'a ResourceId,
    ) -> BoxFuture<'a, Result<Option<Vec<ResourceId>>, TargetError>> {
        async move {
            let members = self.store.team_members(&self.name, team).await?;
            Ok(members.map(|members| members.into_iter().map(|member| member.id).collect()))
        }
        .boxed()
    }

    fn apply<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, TargetError>> {
        self.done(operations).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        async move {
            let subject = format!("workspace {}", self.name);
            let finding = match self.store.workspace_counts(&self.name).await {
                Ok(counts) => Finding {
                    grade: Grade::Ok,
                    subject,
                    text: format!(
                        "{} users ({} active), {} teams, {} memberships",
                        counts.users, counts.active_users, counts.teams, counts.memberships
                    ),
                    cure: String::new(),
                },
                Err(error) => Finding {
                    grade: Grade::Error,
                    subject,
                    text: error.to_string(),
                    cure: "run: rosterd doctor".to_owned(),
                },
            };
            vec![finding]
        }
        .boxed()
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn requests(&self) -> u64 {
        0
    }
}

/// What a stream of pages does next.
enum Turn {
    Page(Option<Position>),
    End,
    Over,
}

fn filter(lookup: &Lookup) -> Result<(ResourceType, Filter), TargetError> {
    let path = Path::parse(&lookup.path).map_err(|problem| TargetError::Refused {
        what: format!("the matching attribute cannot be read: {problem}"),
        cure: "correct the mapping's target attribute".to_owned(),
    })?;
    Ok((lookup.kind.into(), Filter::Compare { path, op: Compare::Eq, value: lookup.value.clone().into() }))
}

fn typed(ids: &[(Kind, ResourceId)]) -> Vec<(ResourceType, ResourceId)> {
    ids.iter().map(|(kind, id)| ((*kind).into(), id.clone())).collect()
}

fn outcome(operation: &Operation, written: Result<Written, Error>) -> Outcome {
    match (operation, written) {
        (Operation::Delete { id, .. }, Ok(_)) => Outcome::Done { id: id.clone(), shown: None },
        // A team's members are not shown, so there is nothing to remember of them.
        (Operation::Members { team, .. }, Ok(_)) => Outcome::Done { id: team.clone(), shown: None },
        (_, Ok(Written { resource: Some(resource), .. })) => {
            Outcome::Done { id: resource.meta.id.clone(), shown: Some(resource.shown("")) }
        }
        (_, Ok(Written { resource: None, .. })) => Outcome::Missing,
        // Gone already is as good as deleted.
        (Operation::Delete { id, .. }, Err(Error { status: 404, .. })) => {
            Outcome::Done { id: id.clone(), shown: None }
        }
        (_, Err(error)) => refused(error),
    }
}

fn refused(error: Error) -> Outcome {
    match error.status {
        404 => Outcome::Missing,
        409 => Outcome::Conflict { detail: error.detail },
        status => Outcome::Refused { status, detail: error.detail },
    }
}
