//! The second, independent question before somebody is removed for being absent (P2).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::OktaSource;
use super::records;
use super::records::Meaning;
use super::refusal::Failure;
use super::refusal::Refusal;
use super::wire::AppGroup;
use super::wire::AppUser;
use super::wire::Group;
use super::wire::Member;
use super::wire::User;
use crate::model::Container;
use crate::model::SourceId;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;
use crate::scim::Kind;
use crate::sources::SourceError;

/// Pages of one second reading: two million members at 200 a page.
const PAGES_MAX: usize = 10_000;

/// The members of the groups that this round of questions was about: each group is read once.
type Readings = BTreeMap<SourceId, Result<BTreeSet<String>, String>>;

impl OktaSource {
    pub(super) async fn testify(
        &self,
        questions: &[WitnessQuestion],
    ) -> Result<Vec<WitnessAnswer>, SourceError> {
        let mut readings = Readings::new();
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(self.answer(question, &mut readings).await?);
        }
        Ok(answers)
    }

    async fn answer(
        &self,
        question: &WitnessQuestion,
        readings: &mut Readings,
    ) -> Result<WitnessAnswer, SourceError> {
        match question {
            WitnessQuestion::Held { container: Container::App(app), .. } if app != self.settings.app() => {
                Ok(cannot(format!("this source reads another application than {app}")))
            }
            WitnessQuestion::Held { container: Container::App(_), principal, kind: Kind::User } => {
                self.assigned_user(principal).await
            }
            WitnessQuestion::Held { container: Container::App(_), principal, kind: Kind::Group } => {
                let url = self.below_app(&["groups", &principal.0], &[]);
                judged(self.talk.one::<AppGroup>(url).await, |_| WitnessAnswer::Present)
            }
            WitnessQuestion::Held { container: Container::Group(group), principal, kind: Kind::User } => {
                self.member(group, principal, readings).await
            }
            WitnessQuestion::Held { container: Container::Group(_), .. } => {
                Ok(cannot("groups of Okta hold no groups".to_owned()))
            }
            WitnessQuestion::Exists { id, kind: Kind::User } => {
                let url = self.talk.address(&["users", &id.0], &[]);
                judged(self.talk.one::<User>(url).await, existing)
            }
            WitnessQuestion::Exists { id, kind: Kind::Group } => {
                let url = self.talk.address(&["groups", &id.0], &[]);
                judged(self.talk.one::<Group>(url).await, |_| WitnessAnswer::Present)
            }
        }
    }

    async fn assigned_user(&self, user: &SourceId) -> Result<WitnessAnswer, SourceError> {
        let url = self.below_app(&["users", &user.0], &[]);
        judged(self.talk.one::<AppUser>(url).await, |row| {
            let status = row.status.unwrap_or_default();
            match records::assigned(&status) {
                Meaning::Yes => WitnessAnswer::Present,
                Meaning::No => WitnessAnswer::Absent(format!("the assignment is {status}").into()),
                Meaning::Unknown => cannot(format!("the assignment status `{status}` is not known")),
            }
        })
    }

    /// Okta cannot be asked about one member: the whole group is read a second time.
    async fn member(
        &self,
        group: &SourceId,
        principal: &SourceId,
        readings: &mut Readings,
    ) -> Result<WitnessAnswer, SourceError> {
        if !readings.contains_key(group) {
            let reading = self.second_reading(group).await?;
            readings.insert(group.clone(), reading);
        }
        Ok(match readings.get(group) {
            Some(Ok(members)) if members.contains(&principal.0) => WitnessAnswer::Present,
            Some(Ok(_)) => WitnessAnswer::Absent("a second complete read does not show it either".into()),
            Some(Err(why)) => cannot(why.clone()),
            None => cannot("the group was not read".to_owned()),
        })
    }

    /// All members, or why they are not all known.
    async fn second_reading(
        &self,
        group: &SourceId,
    ) -> Result<Result<BTreeSet<String>, String>, SourceError> {
        let mut members = BTreeSet::new();
        let mut walked = BTreeSet::new();
        let mut next = Some(self.first_members(&group.0));
        while let Some(url) = next {
            if walked.len() >= PAGES_MAX || !walked.insert(url.to_string()) {
                return Ok(Err("the list of members turns in circles".to_owned()));
            }
            let page = match self.talk.rows(url).await {
                Ok(page) => page,
                Err(Failure::Refused(refusal)) => return Ok(Err(said(refusal)?)),
                Err(Failure::Broken(error)) => return Err(error),
            };
            let (rows, bad) = page.read::<Member>();
            if bad > 0 {
                return Ok(Err("some rows of the members cannot be read".to_owned()));
            }
            members.extend(rows.into_iter().map(|row| row.id));
            next = page.next;
        }
        Ok(Ok(members))
    }
}

/// Somebody deactivated is gone for every application, though the record is kept.
fn existing(user: User) -> WitnessAnswer {
    match user.status.as_deref() {
        Some("DEPROVISIONED") => WitnessAnswer::Absent("the user is DEPROVISIONED".into()),
        _ => WitnessAnswer::Present,
    }
}

/// | answer | means |
/// |---|---|
/// | the object | what `present` makes of it |
/// | 404, 410 of the object | absent |
/// | 404 of the application, 403, other refusals | cannot say |
/// | 401, no answer | the source cannot be asked at all |
fn judged<T>(
    outcome: Result<T, Failure>,
    present: impl FnOnce(T) -> WitnessAnswer,
) -> Result<WitnessAnswer, SourceError> {
    match outcome {
        Ok(object) => Ok(present(object)),
        Err(Failure::Refused(refusal)) if refusal.is_missing() && !refusal.of_app => {
            Ok(WitnessAnswer::Absent(refusal.status.to_string().into()))
        }
        Err(Failure::Refused(refusal)) => said(refusal).map(cannot),
        Err(Failure::Broken(SourceError::Malformed { place, what })) => {
            Ok(cannot(format!("{place}: {what}")))
        }
        Err(Failure::Broken(error)) => Err(error),
    }
}

/// Why the source cannot say. A refused token ends the questions.
fn said(refusal: Refusal) -> Result<String, SourceError> {
    if refusal.status == 401 {
        return Err(refusal.into());
    }
    Ok(match refusal.cure() {
        Some(cure) => format!("{}; {cure}", refusal.what()),
        None => refusal.what(),
    })
}

fn cannot(why: String) -> WitnessAnswer {
    WitnessAnswer::CannotSay(why)
}
