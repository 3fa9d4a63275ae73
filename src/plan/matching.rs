//! Matching: whether a person or a team that has no link yet is created, or becomes one that is there (P6).

use std::collections::BTreeSet;

use super::Adoption;
use super::Hold;
use super::HoldKind;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::fold;

/// What we would write, as far as it tells whose a resource is.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    pub kind: Kind,
    /// What the mapping gives for `externalId`.
    pub external_id: Option<&'a str>,
    /// What it gives for `userName`, of a team for `displayName`.
    pub name: Option<&'a str>,
    /// The settings link the group to the team of this name, and that alone was asked for.
    pub link: Option<&'a str>,
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
    /// On the target's protect list.
    pub protected: bool,
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
    /// This one is it, and a person has to say so.
    AdoptWhenApproved { resource: ResourceId, by: String, hold: Hold },
    /// Neither adopted nor created.
    Hold(Hold),
}

/// Decides from the answers, which come by precedence; those behind the first that finds something do not count.
/// Linked resources are never candidates.
///
/// | the first answer with candidates | |
/// |---|---|
/// | none has any | create |
/// | an answer is missing before it | hold |
/// | two or more | hold |
/// | one, protected | hold |
/// | one, its `externalId` names somebody else | hold |
/// | one that the policy does not adopt | hold, never followed by a create |
/// | one, inactive | adopt when approved |
/// | one | adopt |
pub fn find_match(
    ours: Ours<'_>,
    answers: &[Answer],
    policy: Adoption,
    linked: &BTreeSet<ResourceId>,
) -> Match {
    if let Some(name) = ours.link {
        return find_linked(ours, name, answers, linked);
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
        let candidates: Vec<&Hit> = hits.iter().filter(|hit| !linked.contains(&hit.resource)).collect();
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
fn find_linked(ours: Ours<'_>, name: &str, answers: &[Answer], linked: &BTreeSet<ResourceId>) -> Match {
    let Some(Answer { path, hits: Some(hits) }) = answers.first() else {
        return hold("the target gave no answer for the team to link; it is asked again in the next cycle");
    };
    let free: Vec<&Hit> = hits.iter().filter(|hit| !linked.contains(&hit.resource)).collect();
    match (free.as_slice(), hits.len()) {
        ([hit], _) => one(ours, path, hit, Adoption::AnyMatch),
        ([], 0) => hold(format!(
            "the target has no team `{name}` to link; make it there, or take `link` out to have one made"
        )),
        ([], _) => {
            hold(format!("the team `{name}` is linked to another group already; link one of the two only"))
        }
        (several, _) => hold(many(ours.kind, path, several.len())),
    }
}

fn one(ours: Ours<'_>, by: &str, hit: &Hit, policy: Adoption) -> Match {
    let known = format!("`{by}` finds the {} {}", ours.kind.word(), hit.resource);
    if hit.protected {
        let text = format!("{known}, which is on the target's protect list; rosterd never writes it");
        return Match::Hold(Hold { kind: HoldKind::Protected, text });
    }
    match (claim(ours, hit), adopts(policy, ours, hit)) {
        (Claim::Somebody, _) => hold(format!(
            "{known}, whose externalId names somebody else; clear it in the target, or link the two by hand"
        )),
        (_, false) => hold(format!("{known}, and {}; widen it, or link the two by hand", refusal(policy))),
        (_, true) if !hit.active => Match::AdoptWhenApproved {
            resource: hit.resource.clone(),
            by: by.to_owned(),
            hold: Hold {
                kind: HoldKind::Matching,
                text: format!(
                    "{known}, which is not active; taking it over would activate it, so approve that"
                ),
            },
        },
        (_, true) => Match::Adopt { resource: hit.resource.clone(), by: by.to_owned() },
    }
}

/// Whom a resource's `externalId` names. Ids are compared exactly (RFC 7643 section 3.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    Nobody,
    Us,
    Somebody,
}

fn claim(ours: Ours<'_>, hit: &Hit) -> Claim {
    match hit.external_id.as_deref().filter(|id| !id.is_empty()) {
        None => Claim::Nobody,
        Some(id) if ours.external_id == Some(id) => Claim::Us,
        Some(_) => Claim::Somebody,
    }
}

/// | policy | externalId is ours | none, and the name is ours | none, another name |
/// |---|---|---|---|
/// | never | no | no | no |
/// | external_id | yes | no | no |
/// | external_id_or_name | yes | yes | no |
/// | any_match | yes | yes | yes |
fn adopts(policy: Adoption, ours: Ours<'_>, hit: &Hit) -> bool {
    let named = || ours.name.is_some() && ours.name.map(fold) == hit.name.as_deref().map(fold);
    match (policy, claim(ours, hit)) {
        (Adoption::Never, _) | (_, Claim::Somebody) => false,
        (_, Claim::Us) | (Adoption::AnyMatch, _) => true,
        (Adoption::ExternalId, Claim::Nobody) => false,
        (Adoption::ExternalIdOrName, Claim::Nobody) => named(),
    }
}

fn refusal(policy: Adoption) -> &'static str {
    match policy {
        Adoption::Never => "`adopt = \"never\"` takes nobody over",
        Adoption::ExternalId => "`adopt = \"external_id\"` takes over only where the externalId is ours",
        Adoption::ExternalIdOrName | Adoption::AnyMatch => {
            "`adopt = \"external_id_or_name\"` takes over only where externalId or name are ours"
        }
    }
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

    const OURS: Ours<'_> =
        Ours { kind: Kind::User, external_id: Some("id-1"), name: Some("Ann@x.example"), link: None };
    const POLICIES: [Adoption; 4] =
        [Adoption::Never, Adoption::ExternalId, Adoption::ExternalIdOrName, Adoption::AnyMatch];

    fn hit(resource: &str) -> Hit {
        Hit {
            resource: ResourceId(resource.to_owned()),
            active: true,
            external_id: None,
            name: Some("ann@X.example".to_owned()),
            protected: false,
        }
    }

    fn answer(path: &str, hits: &[Hit]) -> Answer {
        Answer { path: path.to_owned(), hits: Some(hits.to_vec()) }
    }

    fn found(answers: &[Answer], policy: Adoption, linked: &[&str]) -> String {
        let linked = linked.iter().map(|id| ResourceId((*id).to_owned())).collect();
        match find_match(OURS, answers, policy, &linked) {
            Match::Create => "create".to_owned(),
            Match::Adopt { resource, by } => format!("adopt {resource} by {by}"),
            Match::AdoptWhenApproved { resource, by, hold } => {
                format!("ask {resource} by {by}: {}", hold.text)
            }
            Match::Hold(Hold { kind: HoldKind::Matching, text }) => format!("hold: {text}"),
            Match::Hold(hold) => format!("{:?}: {}", hold.kind, hold.text),
        }
    }

    /// States what some answers lead to, under a policy that adopts any match.
    #[track_caller]
    fn check(answers: &[Answer], expected: &str) {
        assert_eq!(found(answers, Adoption::AnyMatch, &[]), expected);
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
        let both = [answer("userName", &[hit("r1"), hit("r2")])];
        assert_eq!(found(&both, Adoption::AnyMatch, &["r1"]), "adopt r2 by userName");
        assert_eq!(found(&both, Adoption::AnyMatch, &["r1", "r2"]), "create");
        let next = [answer("userName", &[hit("r1")]), answer("emails", &[hit("r3")])];
        assert_eq!(found(&next, Adoption::AnyMatch, &["r1"]), "adopt r3 by emails");
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
                found(&[answer("userName", std::slice::from_ref(&theirs))], policy, &[]),
                "hold: `userName` finds the user r1, whose externalId names somebody else; clear it in the \
                 target, or link the two by hand",
                "{policy:?}"
            );
        }
    }

    #[test]
    fn the_table_of_policies() {
        let ours = Hit { external_id: Some("id-1".to_owned()), name: None, ..hit("r1") };
        let named = Hit { external_id: Some(String::new()), ..hit("r1") };
        let other = Hit { name: Some("ann.koch@x.example".to_owned()), ..hit("r1") };
        let mut table = String::new();
        for policy in POLICIES {
            let cells = [&ours, &named, &other].map(|hit| {
                let found = found(&[answer("emails", std::slice::from_ref(hit))], policy, &[]);
                found.split([' ', ':']).next().unwrap_or_default().to_owned()
            });
            table += &format!("{policy:?}: {}\n", cells.join(" "));
        }
        let expected = "\
Never: hold hold hold
ExternalId: adopt hold hold
ExternalIdOrName: adopt adopt hold
AnyMatch: adopt adopt adopt
";
        assert_eq!(table, expected);
    }

    #[test]
    fn what_a_policy_forbids_names_the_setting() {
        let other = Hit { name: None, ..hit("r1") };
        assert_eq!(
            found(&[answer("emails", &[other])], Adoption::ExternalIdOrName, &[]),
            "hold: `emails` finds the user r1, and `adopt = \"external_id_or_name\"` takes over only where \
             externalId or name are ours; widen it, or link the two by hand"
        );
    }

    #[test]
    fn an_inactive_resource_is_taken_over_only_when_approved() {
        let asleep = Hit { active: false, ..hit("r1") };
        check(
            &[answer("userName", std::slice::from_ref(&asleep))],
            "ask r1 by userName: `userName` finds the user r1, which is not active; taking it over would activate \
             it, so approve that",
        );
        let held = found(&[answer("userName", &[asleep])], Adoption::Never, &[]);
        assert!(held.starts_with("hold: "), "{held}");
    }

    #[test]
    fn a_team_that_the_settings_name_is_taken_over_whatever_the_policy_says_and_never_made() {
        let ours =
            Ours { kind: Kind::Group, external_id: Some("g1"), name: Some("Sales"), link: Some("Old Sales") };
        let told = |hits: &[Hit], taken: &[&str]| {
            let taken = taken.iter().map(|id| ResourceId((*id).to_owned())).collect();
            match find_match(ours, &[answer("displayName", hits)], Adoption::Never, &taken) {
                Match::Adopt { resource, by } => format!("adopt {resource} by {by}"),
                Match::Hold(hold) => hold.text,
                other => format!("{other:?}"),
            }
        };
        assert_eq!(told(&[hit("r1")], &[]), "adopt r1 by displayName");
        assert_eq!(
            told(&[], &[]),
            "the target has no team `Old Sales` to link; make it there, or take `link` out to have one made"
        );
        assert_eq!(
            told(&[hit("r1")], &["r1"]),
            "the team `Old Sales` is linked to another group already; link one of the two only"
        );
        assert_eq!(told(&[hit("r1"), hit("r2")], &["r1"]), "adopt r2 by displayName");
        assert!(told(&[hit("r1"), hit("r2")], &[]).starts_with("`displayName` finds 2 groups"));
        let theirs = Hit { external_id: Some("g2".to_owned()), ..hit("r1") };
        assert!(told(&[theirs], &[]).contains("whose externalId names somebody else"));
        let owners = Hit { protected: true, ..hit("r1") };
        assert!(told(&[owners], &[]).contains("protect list"));
    }
}
