//! The report of what is done on demand: import, scope and match from what is known, the exports from the journal of
//! the run or, in a dry run, from what is pending.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use super::CycleError;
use super::Run;
use super::decide::Scopes;
use super::stream;
use crate::model::Applied;
use crate::model::LinkId;
use crate::model::Standing;
use crate::plan;
use crate::plan::Act;
use crate::plan::Class;
use crate::plan::CycleRecord;
use crate::plan::ErrorCode;
use crate::plan::HoldKind;
use crate::plan::Mapping;
use crate::plan::ModifiedProperty;
use crate::plan::OnDemand;
use crate::plan::OnDemandStep;
use crate::plan::Party;
use crate::plan::ScopeStep;
use crate::plan::StatusInfo;
use crate::plan::StepKind;
use crate::plan::StepStatus;
use crate::plan::System;
use crate::scim::Kind;
use crate::store::DirtyLink;
use crate::store::JobState;
use crate::store::LinkRow;
use crate::store::LogFilter;
use crate::store::LogRow;
use crate::store::PendingEdge;
use crate::store::PendingLink;
use crate::store::Store;

/// Entries of the journal that one run can leave of one person.
const ENTRIES: usize = 10_000;

/// Entra's text (Entra provisioning reference, section 11).
fn redundant(kind: &str) -> String {
    format!("The state of the {kind} in both the source and target systems already match.")
}

fn not_entitled(kind: &str) -> String {
    format!("The {kind} is not effectively entitled for provisioning.")
}

/// A report that grows step by step.
pub(super) struct Steps<'a> {
    on: &'a Run<'a>,
    pub(super) report: OnDemand,
}

impl<'a> Steps<'a> {
    pub(super) fn begun(on: &'a Run<'a>, record: &CycleRecord, state: &JobState, dry: bool) -> Steps<'a> {
        let report = OnDemand {
            action: plan::action_of(None).to_owned(),
            cycle_id: record.cycle.to_string(),
            job_id: on.job.name.clone(),
            dry_run: dry,
            start_time: on.how.now.to_string(),
            source_system: System { display_name: on.job.source.identity().unwrap_or_default() },
            target_system: System {
                display_name: state.target_identity.clone().unwrap_or_else(|| on.job.target.identity()),
            },
            ..OnDemand::default()
        };
        Steps { on, report }
    }

    pub(super) fn step(
        &mut self,
        (name, kind): (&'static str, StepKind),
        status: StepStatus,
        description: String,
        details: BTreeMap<String, String>,
    ) {
        let timestamp = self.on.how.clock.now().to_string();
        let step = OnDemandStep { name, kind, status, description, timestamp, details };
        self.report.provisioning_steps.push(step);
    }

    /// The source or the target could not be reached.
    pub(super) fn unreached(&mut self, error: &CycleError) {
        let text = super::chain(error);
        let step = (plan::TEST_CONNECTION, StepKind::Connection);
        self.step(step, StepStatus::Failure, text.clone(), BTreeMap::new());
        self.report.status_info = StatusInfo {
            status: StepStatus::Failure,
            error_code: Some("ConnectionFailure".to_owned()),
            reason: Some(text),
            recommended_action: Some(format!("look at what fails: rosterd check {}", self.on.job.name)),
        };
    }

    /// What the source shows, whether it is in scope, and who it is in the target.
    pub(super) async fn known(
        &mut self,
        store: &Store,
        state: &JobState,
        link: LinkId,
        notes: &[String],
    ) -> Result<(), CycleError> {
        let on = self.on;
        let Some(row) = store.link_row(link).await.map_err(on.store())? else { return Ok(()) };
        let Some(mut facts) = store.link_facts(link).await.map_err(on.store())? else { return Ok(()) };
        let graph = store.container_graph(state.id).await.map_err(on.store())?;
        let default_domain = state.default_domain.clone();
        let environment =
            plan::Environment { now: on.how.now, default_domain, ..plan::Environment::default() };
        let scopes = Scopes::new(&on.job.rules, &graph, &environment);
        scopes.add_roles(&mut facts);
        let told = scopes.with_facts(&facts, |facts| plan::explain_scope(&on.job.rules, facts));
        let pending = store.pending_by_id(vec![link]).await.map_err(on.store())?.into_iter().next();
        self.report.source_identity = party(facts.kind, facts.source.0.clone(), row.name.clone());
        self.report.target_identity = target_of(&facts, &row, pending.as_ref());
        self.imported(&facts, notes);
        self.scoped(&told, &row);
        self.matched(&facts, pending.as_ref());
        Ok(())
    }

    fn mapping(&self, kind: Kind) -> &'a Mapping {
        self.on.job.rules.mapping(kind)
    }

    fn imported(&mut self, facts: &DirtyLink, notes: &[String]) {
        let hidden = self.mapping(facts.kind).redacted_attributes(self.on.job.rules.vocabulary);
        let details = plan::told_all(&facts.seen.attributes, |name| hidden.contains(name));
        let (status, what) = match facts.seen.standing {
            Standing::Enabled => (StepStatus::Success, "read from the source"),
            Standing::Disabled => (StepStatus::Success, "read from the source, where it is disabled"),
            Standing::SoftDeleted => {
                (StepStatus::Success, "in the source's recycle bin; the attributes are those it last had")
            }
            Standing::Gone => {
                (StepStatus::Warning, "deleted in the source; the attributes are those it last had")
            }
            Standing::Missing => (
                StepStatus::Warning,
                "the source does not show it; the attributes are those it last had, and nothing is removed for that \
                 without a witness",
            ),
            Standing::Unread => (StepStatus::Warning, "named by a group or an assignment, and never read"),
        };
        let status = if notes.is_empty() { status } else { status.max(StepStatus::Warning) };
        let told =
            std::iter::once(what).chain(notes.iter().map(String::as_str)).collect::<Vec<_>>().join("; ");
        self.step((plan::ENTRY_IMPORT, StepKind::Import), status, told, details);
    }

    fn scoped(&mut self, steps: &[ScopeStep], row: &LinkRow) {
        let yes = |is: bool| is.to_string();
        let assigned = steps.iter().any(|step| matches!(step, ScopeStep::Selected { .. }));
        let in_scope = steps.contains(&ScopeStep::InScope);
        let active = steps.contains(&ScopeStep::Standing(Standing::Enabled));
        let clauses = steps.iter().filter_map(|step| match step {
            ScopeStep::Clause { place, result } => Some((place.clone(), Value::Bool(result.met))),
            _ => None,
        });
        let clauses: serde_json::Map<String, Value> = clauses.collect();
        let details = [
            ("IsActive", yes(active)),
            ("Assigned", yes(assigned)),
            ("IsEffectivelyEntitledForProvisioning", yes(row.desired.as_deref() == Some("active"))),
            ("IsInProvisioningScopeDisplayName", yes(in_scope)),
            ("ScopeEvaluationResult", Value::Object(clauses).to_string()),
        ];
        let details = details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let told: Vec<String> = steps.iter().map(ScopeStep::sentence).collect();
        let status = if in_scope { StepStatus::Success } else { StepStatus::Skipped };
        self.step((plan::ENTRY_SCOPING, StepKind::Scoping), status, told.join("; "), details);
    }

    fn matched(&mut self, facts: &DirtyLink, pending: Option<&PendingLink>) {
        let mapping = self.mapping(facts.kind);
        let hidden = |path: &str| mapping.redacts(path);
        let adopt = pending.and_then(|pending| pending.adopt.as_ref());
        let hold = pending.and_then(|pending| pending.hold.as_ref());
        let of_matching = |kind| {
            matches!(
                kind,
                HoldKind::Matching
                    | HoldKind::Adoption
                    | HoldKind::Relink
                    | HoldKind::Retire
                    | HoldKind::Uniqueness
            )
        };
        let (status, told, details) = match (&facts.applied, adopt, hold, pending) {
            (Applied::Active(is) | Applied::Inactive(is), ..) => {
                let told = format!("paired already, with the resource {}", is.resource);
                (StepStatus::Success, told, plan::told_attributes(&is.shown, hidden))
            }
            (Applied::Absent, adopt, Some(hold), _) if of_matching(hold.kind) => {
                let found = adopt.map(|adopt| plan::told_attributes(&adopt.shown, hidden));
                (StepStatus::Warning, hold.text.clone(), found.unwrap_or_default())
            }
            (Applied::Absent, Some(adopt), ..) => {
                let told = format!("`{}` finds the resource {}", adopt.by, adopt.resource);
                (StepStatus::Success, told, plan::told_attributes(&adopt.shown, hidden))
            }
            (Applied::Absent, None, _, Some(_)) => {
                (StepStatus::Success, "the target has nobody like it".to_owned(), BTreeMap::new())
            }
            (Applied::Absent, None, _, None) => {
                let told = "not looked for: nothing is to be made".to_owned();
                (StepStatus::Skipped, told, BTreeMap::new())
            }
        };
        self.step((plan::ENTRY_IMPORT, StepKind::Matching), status, told, details);
    }

    /// What was written, by the journal; then what was not, and why.
    pub(super) async fn written(
        &mut self,
        store: &Store,
        link: LinkId,
        ordered: Option<String>,
    ) -> Result<(), CycleError> {
        let on = self.on;
        let cycle = self.report.cycle_id.parse().ok();
        let filter = LogFilter { cycle, limit: ENTRIES, ..LogFilter::default() };
        let rows = store.log(filter).await.map_err(on.store())?;
        let source = self.report.source_identity.id.clone();
        let rows: Vec<LogRow> =
            rows.into_iter().filter(|row| row.cycle.is_some_and(|of| Some(of.0) == cycle)).collect();
        let own = rows.iter().find(|row| row.id.as_deref() == Some(&source));
        if let Some(class) = own.and_then(|row| class_of(&row.class)) {
            self.report.action = plan::action_of(Some(class)).to_owned();
        }
        self.report.change_id = own.or(rows.first()).map(|row| row.entry.0.to_string());
        for row in &rows {
            self.export(row, row.id.as_deref() == Some(&source));
        }
        self.left(store, link, ordered, !rows.is_empty()).await?;
        if let Some(row) = store.link_row(link).await.map_err(on.store())?
            && let Some(resource) = row.resource
        {
            self.report.target_identity.id = resource.0;
        }
        Ok(())
    }

    fn export(&mut self, row: &LogRow, own: bool) {
        let class = class_of(&row.class).unwrap_or(Class::Update);
        let status = match row.outcome.as_deref() {
            Some("done") => StepStatus::Success,
            None => StepStatus::Warning,
            Some(_) => StepStatus::Failure,
        };
        let detail = row.detail.as_deref().filter(|detail| !detail.is_empty());
        let mut told = if own { class.word().to_owned() } else { format!("{} ({})", class.word(), row.name) };
        match row.outcome.as_deref() {
            Some("done") => told += ": done",
            None => told += ": no answer came; the next cycle asks what became of it",
            Some(outcome) => told += &format!(": {outcome}"),
        }
        if let Some(detail) = detail {
            told += &format!("; {detail}");
        }
        let mut properties: Vec<ModifiedProperty> = row.edits.iter().map(ModifiedProperty::from).collect();
        let moved = matches!(class, Class::AddMembers | Class::RemoveMembers) && row.edits.is_empty();
        let names = if own { row.people.clone() } else { vec![row.name.clone()] };
        let display_name = if own { "members" } else { "memberOf" };
        for name in names.into_iter().filter(|_| moved) {
            properties.push(membership(display_name, name, class == Class::AddMembers));
        }
        self.modified(class, status, told, properties);
    }

    fn modified(
        &mut self,
        class: Class,
        status: StepStatus,
        told: String,
        properties: Vec<ModifiedProperty>,
    ) {
        let value =
            |of: &ModifiedProperty| (of.display_name.clone(), of.new_value.clone().unwrap_or_default());
        let details = properties.iter().map(value).collect();
        self.step((plan::export_name(class), StepKind::Export), status, told, details);
        self.report.modified_properties.extend(properties);
        self.report.status_info.status = self.report.status_info.status.max(status);
    }

    /// What would be written, in a dry run.
    pub(super) async fn would_write(&mut self, store: &Store, link: LinkId) -> Result<(), CycleError> {
        let on = self.on;
        let pending = store.pending_by_id(vec![link]).await.map_err(on.store())?.into_iter().next();
        // A team is compared with what the target shows after this.
        let mut would = self.report.source_identity.identity_type == Kind::Group.word();
        if let Some(pending) = pending.filter(|pending| pending.hold.is_none()) {
            would = true;
            let act = plan::shown(self.mapping(pending.kind), stream::act(&on.job.rules, &pending));
            self.report.action = plan::action_of(Some(pending.class)).to_owned();
            let told = format!("would {}", pending.class.word());
            self.modified(pending.class, StepStatus::Skipped, told, properties(&act));
        }
        let edges = store.pending_edges_of(link).await.map_err(on.store())?;
        for edge in edges.iter().filter(|edge| edge.hold.is_none() && !edge.waits) {
            would = true;
            let class = edge_class(edge);
            let property = membership("memberOf", edge.team_name.clone(), edge.adds);
            let told = format!("would {} ({})", class.word(), edge.team_name);
            self.modified(class, StepStatus::Skipped, told, vec![property]);
        }
        self.left(store, link, None, would).await?;
        if would && self.report.status_info.error_code.is_none() {
            let reason = "nothing was written: a dry run".to_owned();
            self.report.status_info =
                StatusInfo { status: StepStatus::Skipped, reason: Some(reason), ..StatusInfo::default() };
        }
        Ok(())
    }

    /// What is held, failed or waits, with what helps; where nothing is pending at all, why there was nothing to do.
    async fn left(
        &mut self,
        store: &Store,
        link: LinkId,
        ordered: Option<String>,
        acted: bool,
    ) -> Result<(), CycleError> {
        let on = self.on;
        let pending = store.pending_by_id(vec![link]).await.map_err(on.store())?.into_iter().next();
        let edges = store.pending_edges_of(link).await.map_err(on.store())?;
        let references = store.pending_references_of(link).await.map_err(on.store())?;
        let failed = store.last_failure(link).await.map_err(on.store())?;
        let row = store.link_row(link).await.map_err(on.store())?;
        for edge in edges.iter().filter(|edge| edge.waits || edge.hold.is_some()) {
            let (reason, told) = match &edge.hold {
                Some(hold) => (json!(hold.kind), hold.text.clone()),
                None => {
                    (json!("waiting"), "it waits for an account or a team that is not there yet".to_owned())
                }
            };
            let told = format!("{} ({}) is left: {told}", edge_class(edge).word(), edge.team_name);
            self.skipped(&plan::told_value(&reason), told);
        }
        for reference in references.iter().filter(|one| one.waits.is_some() || one.hold.is_some()) {
            let told = match &reference.hold {
                Some(hold) => hold.text.clone(),
                None => "it waits for an account that is not there yet".to_owned(),
            };
            self.skipped("waiting", format!("{} is left: {told}", reference.path));
        }
        let hold = pending.as_ref().and_then(|pending| pending.hold.as_ref());
        let status = match (&failed, hold, &pending) {
            (Some(failed), None, _) => Some(self.failed(failed)),
            (_, Some(hold), Some(pending)) => {
                let told = format!("{} is held: {}", pending.class.word(), hold.text);
                let kind = plan::told_value(&json!(hold.kind));
                self.skipped(&kind, told.clone());
                Some(status(StepStatus::Skipped, Some(&kind), told, Some(self.cure(pending, hold.kind))))
            }
            (_, None, Some(pending)) => ordered.map(|why| {
                let told = format!("{} is left: {why}", pending.class.word());
                self.skipped("Ordered", told.clone());
                status(
                    StepStatus::Skipped,
                    Some("Ordered"),
                    told,
                    Some(format!("rosterd sync {}", on.job.name)),
                )
            }),
            (_, _, None) if !acted => {
                let is_wanted = row.as_ref().is_some_and(|row| row.desired.as_deref() == Some("active"));
                let kind = self.report.source_identity.identity_type.clone();
                let (code, text) = match is_wanted {
                    true => ("RedundantExport", redundant(&kind)),
                    false => ("NotEffectivelyEntitled", not_entitled(&kind)),
                };
                self.skipped(code, text.clone());
                Some(status(StepStatus::Skipped, Some(code), text, None))
            }
            _ => None,
        };
        if let Some(status) = status {
            self.report.status_info = status;
        }
        Ok(())
    }

    fn skipped(&mut self, reason: &str, told: String) {
        let details = BTreeMap::from([("SkipReason".to_owned(), reason.to_owned())]);
        self.step((plan::ENTRY_SKIP, StepKind::Export), StepStatus::Skipped, told, details);
    }

    fn failed(&self, failed: &crate::store::LastFailure) -> StatusInfo {
        let code = failed.code.as_deref().and_then(ErrorCode::of);
        let due = failed.due_second.map(plan::told_due);
        let cure =
            code.map(|code| code.cure().to_owned()).into_iter().chain(due).collect::<Vec<_>>().join("; ");
        let cure = Some(cure).filter(|cure| !cure.is_empty());
        status(StepStatus::Failure, failed.code.as_deref(), failed.reason.clone(), cure)
    }

    fn cure(&self, pending: &PendingLink, kind: HoldKind) -> String {
        let job = &self.on.job.name;
        match kind {
            HoldKind::Observe => format!("let it write: rosterd enable {job}"),
            HoldKind::Exempt | HoldKind::Protected | HoldKind::Action | HoldKind::Mapping => {
                format!("see rosterd explain {job} {}", pending.source)
            }
            _ => format!(
                "look at it with rosterd held {job}; let it go with rosterd approve {job} {} --reason \"…\"",
                pending.cause.0
            ),
        }
    }

    pub(super) fn ended(mut self) -> OnDemand {
        self.report.end_time = self.on.how.clock.now().to_string();
        self.report
    }
}

fn status(status: StepStatus, code: Option<&str>, reason: String, cure: Option<String>) -> StatusInfo {
    StatusInfo { status, error_code: code.map(str::to_owned), reason: Some(reason), recommended_action: cure }
}

fn class_of(word: &str) -> Option<Class> {
    Class::ALL.into_iter().find(|class| class.word() == word)
}

fn edge_class(edge: &PendingEdge) -> Class {
    if edge.adds { Class::AddMembers } else { Class::RemoveMembers }
}

fn properties(act: &Act) -> Vec<ModifiedProperty> {
    let active = |old: &str, new: &str| ModifiedProperty {
        display_name: "active".to_owned(),
        old_value: Some(old.to_owned()),
        new_value: Some(new.to_owned()),
    };
    let of = |edits: &[plan::Edit]| edits.iter().map(ModifiedProperty::from).collect::<Vec<_>>();
    match act {
        Act::Create { attributes } => attributes
            .iter()
            .map(|(path, value)| ModifiedProperty {
                display_name: path.clone(),
                old_value: None,
                new_value: Some(plan::told_value(value)),
            })
            .collect(),
        Act::Link { edits, .. } | Act::Update { edits } => of(edits),
        Act::Reactivate { edits } => std::iter::once(active("false", "true")).chain(of(edits)).collect(),
        Act::Deactivate => vec![active("true", "false")],
        _ => Vec::new(),
    }
}

fn membership(display_name: &str, name: String, adds: bool) -> ModifiedProperty {
    let (old_value, new_value) = if adds { (None, Some(name)) } else { (Some(name), None) };
    ModifiedProperty { display_name: display_name.to_owned(), old_value, new_value }
}

fn party(kind: Kind, id: String, display_name: String) -> Party {
    Party { id, display_name, identity_type: kind.word().to_owned() }
}

fn target_of(facts: &DirtyLink, row: &LinkRow, pending: Option<&PendingLink>) -> Party {
    let adopt = pending.and_then(|pending| pending.adopt.as_ref()).map(|adopt| adopt.resource.clone());
    let resource = row.resource.clone().or(adopt).map(|id| id.0).unwrap_or_default();
    party(facts.kind, resource, row.name.clone())
}
