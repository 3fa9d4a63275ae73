//! The witness: every removal that comes from absence is asked for a second time, at write time, within a
//! budget (P2). It is enforced here, for every source alike.

use std::collections::BTreeMap;

use super::CycleError;
use super::Run;
use crate::model::By;
use crate::model::Container;
use crate::model::HeardOf;
use crate::model::LinkId;
use crate::model::Proofs;
use crate::model::Shown;
use crate::model::Testified;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;
use crate::plan::Class;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::Proof;
use crate::scim::Kind;
use crate::store::EdgePlace;
use crate::store::JobId;
use crate::store::LinkVerdict;
use crate::store::PendingEdge;
use crate::store::PendingLink;
use crate::store::Store;

const CHUNK: usize = 500;
/// A second complete read in a later cycle is the witness where nothing else can be asked.
const COMPLETE_READS: u32 = 2;

/// How removals were confirmed, in memory for as long as they are written: no more than the budget of questions.
#[derive(Debug, Default)]
pub(super) struct Testimony {
    links: BTreeMap<LinkId, Told>,
    edges: BTreeMap<(LinkId, LinkId), Told>,
}

/// The sentence, and the same as fields.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub evidence: String,
    pub witness: Vec<Testified>,
}

impl Testimony {
    pub(super) fn of_link(&self, link: LinkId) -> Option<&Told> {
        self.links.get(&link)
    }

    pub(super) fn of_edge(&self, team: LinkId, person: LinkId) -> Option<&Told> {
        self.edges.get(&(team, person))
    }
}

/// Holds every removal that is to go and is not confirmed. Afterwards `hold` says it, as for any other reason.
pub(super) async fn witness(on: &Run<'_>, store: &Store, job: JobId) -> Result<Testimony, CycleError> {
    let mut court = Court::new(on, store, job);
    court.links(Class::Deactivate, Kind::User).await?;
    court.links(Class::Delete, Kind::User).await?;
    court.links(Class::DeleteTeams, Kind::Group).await?;
    court.edges().await?;
    if court.reread {
        store.forget_watermarks(job).await.map_err(on.store())?;
    }
    Ok(court.testimony)
}

/// The same for the removals of one person alone.
pub(super) async fn alone(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    person: LinkId,
) -> Result<Testimony, CycleError> {
    let mut court = Court::new(on, store, job);
    let pending = store.pending_by_id(vec![person]).await.map_err(on.store())?;
    if let Some(class) = pending.first().map(|link| link.class) {
        court.hear(class, &pending).await?;
    }
    let edges = store.pending_edges_of(person).await.map_err(on.store())?;
    let removed: Vec<PendingEdge> = edges.into_iter().filter(|edge| !edge.adds).collect();
    court.hear_edges(&removed).await?;
    Ok(court.testimony)
}

/// Answers of this cycle: a question is asked once, however many removals hang on it.
struct Court<'a> {
    on: &'a Run<'a>,
    store: &'a Store,
    job: JobId,
    budget: u64,
    known: BTreeMap<WitnessQuestion, Ruling>,
    canaries: BTreeMap<Canary, Option<String>>,
    testimony: Testimony,
    /// The next cycle reads everything anew.
    reread: bool,
}

/// What kind of question a canary stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Canary {
    In(Container),
    People,
    Groups,
}

#[derive(Clone, Debug)]
enum Ruling {
    /// By this evidence.
    Confirmed(String),
    /// There, but it may not sign in.
    Disabled,
    Held(Hold),
}

impl<'a> Court<'a> {
    fn new(on: &'a Run<'a>, store: &'a Store, job: JobId) -> Court<'a> {
        Court {
            on,
            store,
            job,
            budget: on.job.limits.witness_budget,
            known: BTreeMap::new(),
            canaries: BTreeMap::new(),
            testimony: Testimony::default(),
            reread: false,
        }
    }

    async fn links(&mut self, class: Class, kind: Kind) -> Result<(), CycleError> {
        let mut after = String::new();
        loop {
            self.on.stopped()?;
            let chunk = self
                .store
                .pending_links(self.job, class, kind, after.clone(), CHUNK)
                .await
                .map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after.clone_from(&last.source.0);
            self.hear(class, &chunk).await?;
        }
    }

    async fn hear(&mut self, class: Class, chunk: &[PendingLink]) -> Result<(), CycleError> {
        let due = chunk
            .iter()
            .filter(|link| link.hold.is_none() && !link.approved && link.proof == Proof::Absence)
            .filter(|link| link.class.removes());
        let due: Vec<_> = due.collect();
        let questions = due.iter().flat_map(|link| link.questions.iter().cloned()).collect();
        self.ask(questions).await?;
        let mut held = Vec::new();
        for link in due {
            match self.hold(class, &link.questions) {
                Some(hold) => held.push(LinkVerdict::new(link.link, Some(hold))),
                None => drop(self.testimony.links.insert(link.link, self.told(&link.questions))),
            }
        }
        self.store.save_link_verdicts(held).await.map_err(self.on.store())
    }

    async fn edges(&mut self) -> Result<(), CycleError> {
        let mut after = EdgePlace::default();
        loop {
            self.on.stopped()?;
            let chunk =
                self.store.pending_edges(self.job, false, after, CHUNK).await.map_err(self.on.store())?;
            let Some(last) = chunk.last() else { return Ok(()) };
            after = last.place();
            self.hear_edges(&chunk).await?;
        }
    }

    async fn hear_edges(&mut self, chunk: &[PendingEdge]) -> Result<(), CycleError> {
        let due = chunk.iter().filter(|edge| edge.hold.is_none() && !edge.approved && !edge.follows);
        let due: Vec<(&PendingEdge, Vec<WitnessQuestion>)> =
            due.filter(|edge| edge.proof == Proof::Absence).map(|edge| (edge, questions_of(edge))).collect();
        self.ask(due.iter().flat_map(|(_, questions)| questions.clone()).collect()).await?;
        let mut holds = Vec::new();
        for (edge, questions) in &due {
            let (team, person) = (edge.team, edge.person);
            match self.hold(Class::RemoveMembers, questions) {
                Some(hold) => holds.push((team, person, Some(hold))),
                None => drop(self.testimony.edges.insert((team, person), self.told(questions))),
            }
        }
        // What follows from a person waits with the person.
        let following = chunk.iter().filter(|edge| edge.follows && edge.person_hold.is_some());
        holds.extend(following.map(|edge| (edge.team, edge.person, edge.person_hold.clone())));
        self.store.save_edge_holds(holds).await.map_err(self.on.store())
    }

    /// `None`: every question was answered with "not there", or with enough for this class.
    fn hold(&self, class: Class, questions: &[WitnessQuestion]) -> Option<Hold> {
        questions.iter().find_map(|question| match self.known.get(question) {
            Some(Ruling::Confirmed(_)) => None,
            Some(Ruling::Disabled) if class == Class::Deactivate => None,
            Some(Ruling::Disabled) => Some(disabled()),
            Some(Ruling::Held(hold)) => Some(hold.clone()),
            None => Some(over_budget(self.on)),
        })
    }

    /// What was answered, each thing once; and as fields, with what proves it.
    fn told(&self, questions: &[WitnessQuestion]) -> Told {
        let mut told: Vec<&str> = Vec::new();
        let mut witness = Vec::new();
        for question in questions {
            let evidence = match self.known.get(question) {
                Some(Ruling::Confirmed(evidence)) => evidence,
                Some(Ruling::Disabled) => "it is there and may not sign in",
                Some(Ruling::Held(_)) | None => continue,
            };
            let HeardOf { request_ids, event } = self.on.job.source.heard(question);
            let (question, answer) = (question.to_string(), evidence.to_owned());
            witness.push(Testified { question, answer, request_ids, event });
            if !told.contains(&evidence) {
                told.push(evidence);
            }
        }
        Told { evidence: told.join("; "), witness }
    }

    async fn ask(&mut self, questions: Vec<WitnessQuestion>) -> Result<(), CycleError> {
        let mut open: Vec<WitnessQuestion> = Vec::new();
        for question in questions {
            if self.budget == 0 {
                break;
            }
            if !self.known.contains_key(&question) && !open.contains(&question) {
                self.budget -= 1;
                open.push(question);
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        for question in &open {
            self.wake_canary(question).await?;
        }
        let answers = self.on.until_stopped(self.on.job.source.witness(&open)).await?;
        let answers = answers.map_err(self.on.source())?;
        for (question, answer) in open.into_iter().zip(answers) {
            let reads = self.store.absent_reads(self.job, question.clone()).await.map_err(self.on.store())?;
            let ruling = self.rule(&question, answer, reads);
            self.reread |=
                matches!(ruling, Ruling::Held(_)) && reads < COMPLETE_READS && by_changes(&question);
            self.known.insert(question, ruling);
        }
        Ok(())
    }

    fn rule(&self, question: &WitnessQuestion, answer: WitnessAnswer, reads: u32) -> Ruling {
        let doubt = match answer {
            WitnessAnswer::Present => {
                let text = "the source's list does not show it, its witness does; nothing is removed until they agree";
                return Ruling::Held(Hold { kind: HoldKind::Disagrees, text: text.to_owned() });
            }
            WitnessAnswer::Disabled => return Ruling::Disabled,
            WitnessAnswer::Unexplained(why) => {
                let text = format!("disappeared without event: {why}; approve it, or look into the source");
                return Ruling::Held(Hold { kind: HoldKind::Unexplained, text });
            }
            WitnessAnswer::Absent(evidence) => match self.canaries.get(&canary_of(question)) {
                Some(None) => return Ruling::Confirmed(evidence.into_owned()),
                Some(Some(doubt)) => doubt.clone(),
                None => "nobody was left to prove that the source still answers".to_owned(),
            },
            WitnessAnswer::CannotSay(why) => why,
        };
        if reads >= COMPLETE_READS {
            return Ruling::Confirmed(format!("{COMPLETE_READS} complete reads in a row do not show it"));
        }
        let text =
            format!("unwitnessed ({doubt}); it goes when a second complete read does not show it either");
        Ruling::Held(Hold { kind: HoldKind::Unwitnessed, text })
    }

    /// Asks the same kind of question about somebody who is known to be there; silence makes every "not there"
    /// of this cycle worthless. `Some(None)`: the canary sings.
    async fn wake_canary(&mut self, question: &WitnessQuestion) -> Result<(), CycleError> {
        let canary = canary_of(question);
        if self.canaries.contains_key(&canary) {
            return Ok(());
        }
        let known = self.store.canary(self.job, question.clone()).await.map_err(self.on.store())?;
        let Some(known) = known else { return Ok(()) };
        let answers =
            self.on.job.source.witness(std::slice::from_ref(&known)).await.map_err(self.on.source())?;
        let doubt = match answers.first() {
            Some(WitnessAnswer::Present | WitnessAnswer::Disabled) => None,
            Some(WitnessAnswer::CannotSay(why)) => Some(why.clone()),
            Some(WitnessAnswer::Absent(_) | WitnessAnswer::Unexplained(_)) | None => {
                Some("a canary known to be there was not found either".to_owned())
            }
        };
        self.canaries.insert(canary, doubt);
        Ok(())
    }
}

/// Whether the source tells of it only what changed. What was doubted once is then read anew as a whole: the
/// changes alone would neither bring it back nor be the second complete read. Assignments come whole each time.
fn by_changes(question: &WitnessQuestion) -> bool {
    !matches!(question, WitnessQuestion::Held { container: Container::App(_), .. })
}

fn canary_of(question: &WitnessQuestion) -> Canary {
    match question {
        WitnessQuestion::Held { container: Container::App(app), .. } => {
            Canary::In(Container::App(app.clone()))
        }
        // One group is as good as another: the question is the same call.
        WitnessQuestion::Held { container: Container::Group(_), .. } => Canary::Groups,
        WitnessQuestion::Exists { .. } => Canary::People,
    }
}

/// The evidence of a removal as fields: what showed it, and what the witness said.
pub(super) fn proofs(shown: Vec<Shown>, told: Option<&Told>) -> Option<Proofs> {
    let witness = told.map(|told| told.witness.clone()).unwrap_or_default();
    (!shown.is_empty() || !witness.is_empty()).then_some(Proofs { coverage: shown, witness })
}

/// What of the source showed that somebody or a team is to lose their account.
pub(super) fn shown_of(link: &PendingLink) -> Vec<Shown> {
    if !link.class.removes() {
        return Vec::new();
    }
    let collection = match link.kind {
        Kind::User => "users",
        Kind::Group => "groups",
    };
    match link.proof {
        Proof::Event => vec![Shown { collection: collection.to_owned(), by: By::Event }],
        Proof::Absence => by_absence(&link.questions),
    }
}

pub(super) fn by_absence(questions: &[WitnessQuestion]) -> Vec<Shown> {
    let shown = |question: &WitnessQuestion| Shown { collection: question.collection(), by: By::Full };
    let all: std::collections::BTreeSet<Shown> = questions.iter().map(shown).collect();
    all.into_iter().collect()
}

pub(super) fn questions_of(edge: &PendingEdge) -> Vec<WitnessQuestion> {
    if edge.team_lost {
        return edge.team_questions.clone();
    }
    vec![WitnessQuestion::Held {
        container: Container::Group(edge.team_source.clone()),
        principal: edge.person_source.clone(),
        kind: Kind::User,
    }]
}

fn disabled() -> Hold {
    let text = "the source's list does not show it, its witness does, and says that it may not sign in; that confirms \
                a deactivation, not this";
    Hold { kind: HoldKind::Disagrees, text: text.to_owned() }
}

fn over_budget(on: &Run<'_>) -> Hold {
    let text = format!(
        "unwitnessed: the cycle's budget of {} questions is used up (jobs.{}.limits.witness_budget); the next cycle \
         asks again",
        on.job.limits.witness_budget, on.job.name
    );
    Hold { kind: HoldKind::Unwitnessed, text }
}
