//! Matching: whether a person or a team that has no link yet is created, or becomes one that is there (P6).

mod identity;
mod policy;
mod verified;

pub use identity::Identity;
pub use identity::other_person;
pub use policy::is_mail;
pub use verified::mail_is_verified;

use super::Adoption;
use super::Cause;
use super::CauseKind;
use super::Hold;
use super::HoldKind;
use super::TeamNames;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::scim::ResourceId;
use policy::Claim;
use policy::adopts;
use policy::claim;
use policy::refusal;

/// What we would write, as far as it tells whose a resource is.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    pub kind: Kind,
    /// What the mapping gives for `externalId`.
    pub external_id: Option<&'a str>,
    /// What it gives for `userName`, of a team for `displayName`.
    pub name: Option<&'a str>,
    /// What it gives for the employee number.
    pub employee: Option<&'a str>,
    /// The source vouches for the mail address.
    pub verified_mail: bool,
    /// The settings link the group to the team of this name, and that alone was asked for.
    pub link: Option<&'a str>,
}

/// What the settings say of existing resources.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub adopt: Adoption,
    pub names: TeamNames,
}

/// What the target said to one matching attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The matching attribute.
    pub path: String,
    /// `None`: no answer came.
    pub hits: Option<Vec<Hit>>,
}

/// One resource that an answer shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit {
    pub resource: ResourceId,
    /// `false` only where the target says so.
    pub active: bool,
    pub external_id: Option<String>,
    /// Its `userName`, of a team its `displayName`.
    pub name: Option<String>,
    /// Its employee number, where it shows one.
    pub employee: Option<String>,
    /// On the target's protect list.
    pub protected: bool,
    /// A tenant that pushes or an administrator owns it: who, and what to do about that.
    pub bars: Option<String>,
    pub owner: Owner,
}

/// Whose a resource is already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    #[default]
    Nobody,
    /// A link of this job has it, so it is no candidate.
    ThisJob,
    /// A link of this other job into the same target has it: ours would join.
    OtherJob(String),
}

/// Shows the id only (P11).
impl std::fmt::Debug for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hit({})", self.resource)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Nobody is there.
    Create,
    /// This one is it; `by` is the attribute that found it.
    Adopt { resource: ResourceId, by: String },
    /// This one is it, and a person has to say so; those of one cause are one decision.
    AdoptWhenApproved { resource: ResourceId, by: String, hold: Hold, cause: Cause },
    /// Neither adopted nor created.
    Hold(Hold),
}

/// Decides from the answers, which come by precedence; those behind the first that finds something do not count.
/// Resources that are linked in this job are never candidates.
///
/// | the first answer with candidates | |
/// |---|---|
/// | none has any | create |
/// | an answer is missing before it | hold |
/// | two or more | hold |
/// | one, protected | hold |
/// | one that a push tenant or an administrator owns | hold |
/// | one, its employee number or `externalId` names somebody else | hold |
/// | one, a team of another job, where `team_names` does not link | hold |
/// | one that the policy does not adopt | adopt when approved, never followed by a create |
/// | one, inactive | adopt when approved |
/// | one | adopt; what another job owns is joined |
pub fn find_match(ours: Ours<'_>, answers: &[Answer], policy: Policy) -> Match {
    if let Some(name) = ours.link {
        return find_linked(ours, name, answers, policy);
    }
    if answers.is_empty() {
        return hold(
            "none of the matching attributes has a value, so nobody can say whether it exists; give it one in the source",
        );
    }
    for answer in answers {
        let Some(hits) = &answer.hits else {
            return hold(format!(
                "the target gave no answer for `{}`; it is asked again in the next cycle",
                answer.path
            ));
        };
        let candidates: Vec<&Hit> = hits.iter().filter(|hit| hit.owner != Owner::ThisJob).collect();
        match candidates.as_slice() {
            [] => {}
            [hit] => return one(ours, &answer.path, hit, policy),
            several => return hold(many(ours.kind, &answer.path, several.len())),
        }
    }
    Match::Create
}

/// A team that the settings name is taken over whatever the policy says, and never made: whoever named it knows that it
/// is there (Okta reference, section 10: link to an existing group).
fn find_linked(ours: Ours<'_>, name: &str, answers: &[Answer], policy: Policy) -> Match {
    let Some(Answer { path, hits: Some(hits) }) = answers.first() else {
        return hold("the target gave no answer for the team to link; it is asked again in the next cycle");
    };
    let free: Vec<&Hit> = hits.iter().filter(|hit| hit.owner != Owner::ThisJob).collect();
    match (free.as_slice(), hits.len()) {
        ([hit], _) => {
            let named = Ours { name: hit.name.as_deref(), ..ours };
            one(named, path, hit, Policy { names: TeamNames::Link, ..policy })
        }
        ([], 0) => hold(format!(
            "the target has no team `{name}` to link; make it there, or take `link` out to have one made"
        )),
        ([], _) => {
            hold(format!("the team `{name}` is linked to another group already; link one of the two only"))
        }
        (several, _) => hold(many(ours.kind, path, several.len())),
    }
}

fn one(ours: Ours<'_>, by: &str, hit: &Hit, policy: Policy) -> Match {
    let known = format!("`{by}` finds the {} {}", ours.kind.word(), hit.resource);
    if hit.protected {
        let text = format!("{known}, which is on the target's protect list; rosterd never writes it");
        return Match::Hold(Hold { kind: HoldKind::Protected, text });
    }
    if let Some(bars) = &hit.bars {
        return hold(format!("{known}, {bars}"));
    }
    if ours.employee.is_some() && hit.employee.is_some() && ours.employee != hit.employee.as_deref() {
        return hold(format!(
            "{known}, whose employee number is another one, so a recycled address led there; rename that account in the \
             target, or link the two by hand"
        ));
    }
    if claim(ours, hit) == Claim::Somebody {
        return hold(format!(
            "{known}, whose externalId names somebody else; clear it in the target, or link the two by hand"
        ));
    }
    if let (Kind::Group, Owner::OtherJob(job), false) =
        (ours.kind, &hit.owner, policy.names == TeamNames::Link)
    {
        return hold(format!(
            "{known}, which is a team of job {job}; set team_names = \"link\" to share it or \"suffix\" to have one \
             beside it, or link the two by hand"
        ));
    }
    let adopts = adopts(policy, ours, by, hit);
    let (resource, by) = (hit.resource.clone(), by.to_owned());
    let (text, inactive) = match (adopts, hit.active) {
        (true, true) => return Match::Adopt { resource, by },
        (true, false) => {
            ("is not active; taking it over would activate it, so approve that".to_owned(), true)
        }
        (false, _) => {
            (format!("is there, and {}; approve it, or link it by hand", refusal(policy.adopt)), false)
        }
    };
    let cause = matched(&by, inactive);
    let hold = Hold { kind: HoldKind::Adoption, text: format!("{known}, which {text}") };
    Match::AdoptWhenApproved { resource, by, hold, cause }
}

/// What everybody has in common who is found by one attribute and waits for a person: one decision.
fn matched(by: &str, inactive: bool) -> Cause {
    let kind = if inactive { CauseKind::MatchedInactive } else { CauseKind::Matched };
    Cause { kind, subjects: vec![SourceId(by.to_owned())], names: vec![by.to_owned()], rules: String::new() }
}

fn many(kind: Kind, path: &str, count: usize) -> String {
    format!(
        "`{path}` finds {count} {}s in the target; remove what is double there, or link one by hand",
        kind.word()
    )
}

fn hold(text: impl Into<String>) -> Match {
    Match::Hold(Hold { kind: HoldKind::Matching, text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Ours<'_> = Ours {
        kind: Kind::User,
        external_id: Some("id-1"),
        name: Some("Ann@x.example"),
        employee: None,
        verified_mail: true,
        link: None,
    };
    const POLICIES: [Adoption; 4] =
        [Adoption::Never, Adoption::ExternalId, Adoption::ExternalIdOrName, Adoption::VerifiedMail];

    fn hit(resource: &str) -> Hit {
        Hit {
            resource: ResourceId(resource.to_owned()),
            active: true,
            external_id: None,
            name: Some("ann@X.example".to_owned()),
            employee: None,
            protected: false,
            bars: None,
            owner: Owner::Nobody,
        }
    }

    fn answer(path: &str, hits: &[Hit]) -> Answer {
        Answer { path: path.to_owned(), hits: Some(hits.to_vec()) }
    }

    fn found(answers: &[Answer], adopt: Adoption) -> String {
        told(find_match(OURS, answers, Policy { adopt, names: TeamNames::Hold }))
    }

    fn told(found: Match) -> String {
        match found {
            Match::Create => "create".to_owned(),
            Match::Adopt { resource, by } => format!("adopt {resource} by {by}"),
            Match::AdoptWhenApproved { resource, by, hold, cause } => {
                format!("ask {resource} by {by}, {:?}: {}", cause.kind, hold.text)
            }
            Match::Hold(Hold { kind: HoldKind::Matching, text }) => format!("hold: {text}"),
            Match::Hold(hold) => format!("{:?}: {}", hold.kind, hold.text),
        }
    }

    /// States what some answers lead to, under the policy that adopts most.
    #[track_caller]
    fn check(answers: &[Answer], expected: &str) {
        assert_eq!(found(answers, Adoption::VerifiedMail), expected);
    }

    fn owned(resource: &str, owner: Owner) -> Hit {
        Hit { owner, ..hit(resource) }
    }

    #[test]
    fn nobody_there_means_create() {
        check(&[answer("userName", &[]), answer("emails", &[])], "create");
    }

    #[test]
    fn the_first_attribute_that_finds_something_decides() {
        let two = [hit("r1"), hit("r2")];
        check(&[answer("userName", &[hit("r1")]), answer("emails", &two)], "adopt r1 by userName");
        check(&[answer("userName", &[]), answer("emails", &[hit("r2")])], "adopt r2 by emails");
    }

    #[test]
    fn two_are_held_with_their_number() {
        check(
            &[answer("userName", &[]), answer("emails", &[hit("r1"), hit("r2")])],
            "hold: `emails` finds 2 users in the target; remove what is double there, or link one by hand",
        );
    }

    #[test]
    fn no_answer_is_held_and_never_a_create() {
        let silent = Answer { path: "emails".to_owned(), hits: None };
        let held = "hold: the target gave no answer for `emails`; it is asked again in the next cycle";
        check(&[answer("userName", &[]), silent.clone()], held);
        check(&[silent.clone(), answer("userName", &[hit("r1")])], held);
        check(&[answer("userName", &[hit("r1")]), silent], "adopt r1 by userName");
        check(
            &[],
            "hold: none of the matching attributes has a value, so nobody can say whether it exists; give it one \
             in the source",
        );
    }

    #[test]
    fn linked_resources_are_no_candidates() {
        let taken = |resource| owned(resource, Owner::ThisJob);
        check(&[answer("userName", &[taken("r1"), hit("r2")])], "adopt r2 by userName");
        check(&[answer("userName", &[taken("r1"), taken("r2")])], "create");
        check(&[answer("userName", &[taken("r1")]), answer("emails", &[hit("r3")])], "adopt r3 by emails");
    }

    #[test]
    fn what_a_push_tenant_owns_is_held_and_never_followed_by_a_create() {
        let theirs = Hit { bars: Some("which push okta owns".to_owned()), ..hit("r1") };
        for adopt in POLICIES {
            let told = found(&[answer("userName", std::slice::from_ref(&theirs))], adopt);
            assert_eq!(told, "hold: `userName` finds the user r1, which push okta owns");
        }
    }

    #[test]
    fn a_protected_resource_is_never_taken_over() {
        let owner = Hit { protected: true, external_id: Some("id-1".to_owned()), ..hit("r1") };
        check(
            &[answer("userName", &[owner])],
            "Protected: `userName` finds the user r1, which is on the target's protect list; rosterd never writes it",
        );
    }

    #[test]
    fn a_resource_of_somebody_else_is_held_under_every_policy() {
        let theirs = Hit { external_id: Some("ID-1".to_owned()), ..hit("r1") };
        for policy in POLICIES {
            assert_eq!(
                found(&[answer("userName", std::slice::from_ref(&theirs))], policy),
                "hold: `userName` finds the user r1, whose externalId names somebody else; clear it in the \
                 target, or link the two by hand",
                "{policy:?}"
            );
        }
    }

    /// A recycled address is a different person (P7).
    #[test]
    fn another_employee_number_is_another_person_under_every_policy() {
        let ours = Ours { employee: Some("7"), ..OURS };
        let shown = |employee: Option<&str>| {
            let hit = Hit { employee: employee.map(str::to_owned), ..hit("r1") };
            let policy = Policy { adopt: Adoption::VerifiedMail, names: TeamNames::Hold };
            told(find_match(ours, &[answer("userName", &[hit])], policy))
        };
        assert_eq!(shown(Some("7")), "adopt r1 by userName");
        assert_eq!(shown(None), "adopt r1 by userName");
        assert_eq!(
            shown(Some("8")),
            "hold: `userName` finds the user r1, whose employee number is another one, so a recycled address led \
             there; rename that account in the target, or link the two by hand"
        );
    }

    #[test]
    fn the_table_of_policies() {
        let ours = Hit { external_id: Some("id-1".to_owned()), name: None, ..hit("r1") };
        let named = Hit { external_id: Some(String::new()), ..hit("r1") };
        let other = Hit { name: Some("ann.koch@x.example".to_owned()), ..hit("r1") };
        let mut table = String::new();
        for policy in POLICIES {
            let cells = [(&ours, "emails"), (&named, "emails"), (&other, "emails"), (&other, "title")];
            let cells = cells.map(|(hit, by)| {
                let found = found(&[answer(by, std::slice::from_ref(hit))], policy);
                found.split([' ', ':']).next().unwrap_or_default().to_owned()
            });
            table += &format!("{policy:?}: {}\n", cells.join(" "));
        }
        let expected = "\
Never: ask ask ask ask
ExternalId: adopt ask ask ask
ExternalIdOrName: adopt adopt ask ask
VerifiedMail: adopt adopt adopt ask
";
        assert_eq!(table, expected);
        let bare = Ours { verified_mail: false, ..OURS };
        let policy = Policy { adopt: Adoption::VerifiedMail, names: TeamNames::Hold };
        let found = told(find_match(bare, &[answer("emails", &[other])], policy));
        assert!(found.starts_with("ask r1 by emails, Matched: "), "{found}");
    }

    #[test]
    fn what_a_policy_forbids_names_the_setting() {
        let other = Hit { name: None, ..hit("r1") };
        assert_eq!(
            found(&[answer("emails", &[other])], Adoption::ExternalIdOrName),
            "ask r1 by emails, Matched: `emails` finds the user r1, which is there, and `adopt = \
             \"external_id_or_name\"` takes over only where externalId or name are ours; approve it, or link it by \
             hand"
        );
    }

    #[test]
    fn an_inactive_resource_is_taken_over_only_when_approved() {
        let asleep = Hit { active: false, ..hit("r1") };
        check(
            &[answer("userName", std::slice::from_ref(&asleep))],
            "ask r1 by userName, MatchedInactive: `userName` finds the user r1, which is not active; taking it over \
             would activate it, so approve that",
        );
        let forbidden = found(&[answer("userName", &[asleep])], Adoption::Never);
        assert!(forbidden.starts_with("ask r1 by userName, Matched: "), "{forbidden}");
    }

    /// The externalId there is that of the other job's source.
    #[test]
    fn what_another_job_owns_is_joined_as_the_policy_adopts() {
        let theirs =
            Hit { external_id: Some("0u1".to_owned()), ..owned("r1", Owner::OtherJob("okta".to_owned())) };
        check(&[answer("userName", std::slice::from_ref(&theirs))], "adopt r1 by userName");
        let strict = found(&[answer("userName", &[theirs])], Adoption::ExternalId);
        assert!(strict.starts_with("ask r1 by userName, Matched: "), "{strict}");
    }

    /// Okta reference, section 10: linked, suffixed or an error, by policy.
    #[test]
    fn a_team_of_another_job_is_shared_only_where_team_names_says_so() {
        let ours = Ours { kind: Kind::Group, external_id: Some("g1"), name: Some("Sales"), ..OURS };
        let theirs = Hit {
            name: Some("SALES".to_owned()),
            external_id: Some("g9".to_owned()),
            ..owned("r1", Owner::OtherJob("okta".to_owned()))
        };
        let under = |names| {
            let policy = Policy { adopt: Adoption::ExternalIdOrName, names };
            told(find_match(ours, &[answer("displayName", std::slice::from_ref(&theirs))], policy))
        };
        assert_eq!(under(TeamNames::Link), "adopt r1 by displayName");
        assert_eq!(
            under(TeamNames::Hold),
            "hold: `displayName` finds the group r1, which is a team of job okta; set team_names = \"link\" to share \
             it or \"suffix\" to have one beside it, or link the two by hand"
        );
    }

    #[test]
    fn a_team_that_the_settings_name_is_taken_over_whatever_the_policy_says_and_never_made() {
        let ours = Ours {
            kind: Kind::Group,
            external_id: Some("g1"),
            name: Some("Sales"),
            link: Some("Old Sales"),
            ..OURS
        };
        let told = |hits: &[Hit]| {
            let policy = Policy { adopt: Adoption::Never, names: TeamNames::Hold };
            match find_match(ours, &[answer("displayName", hits)], policy) {
                Match::Adopt { resource, by } => format!("adopt {resource} by {by}"),
                Match::Hold(hold) => hold.text,
                other => format!("{other:?}"),
            }
        };
        let taken = |resource| owned(resource, Owner::ThisJob);
        assert_eq!(told(&[hit("r1")]), "adopt r1 by displayName");
        assert_eq!(
            told(&[]),
            "the target has no team `Old Sales` to link; make it there, or take `link` out to have one made"
        );
        assert_eq!(
            told(&[taken("r1")]),
            "the team `Old Sales` is linked to another group already; link one of the two only"
        );
        assert_eq!(told(&[taken("r1"), hit("r2")]), "adopt r2 by displayName");
        assert!(told(&[hit("r1"), hit("r2")]).starts_with("`displayName` finds 2 groups"));
    }
}
