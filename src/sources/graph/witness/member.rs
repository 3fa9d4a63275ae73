//! Is the principal still a direct member of the group? `checkMemberGroups` first: it is cheap, and its "no" is
//! final for a group that shows its members. Its "yes" may come from a nested group, so it is followed by a look at
//! the direct groups.
//!
//! | `checkMemberGroups` | the group | then |
//! |---|---|---|
//! | no | shows its members, or is gone | not a member |
//! | no | hides its members | believed when the group shows us any member: then we may evaluate it |
//! | yes | shows its members | the principal's direct groups (`memberOf`), or the group's members where that is refused |
//! | yes | hides its members | the group's members: `memberOf` may leave such groups out |
//! | yes | and no second look can be had | a member: a "yes" never confirms |

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;
use url::Url;

use super::Principal;
use super::Said;
use super::exists;
use super::said;
use super::text_of;
use crate::model::SourceId;
use crate::model::WitnessAnswer;
use crate::scim::Kind;
use crate::sources::SourceError;
use crate::sources::graph::batch::Part;
use crate::sources::graph::batch::PartAnswer;
use crate::sources::graph::door::DIRECTORY_READ;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::MEMBER_READ;
use crate::sources::graph::trouble::Link;
use crate::sources::graph::trouble::Trouble;
use crate::sources::graph::wire::Listing;

/// Graph's own limit (graph.md 5.14).
const GROUPS_A_QUESTION: usize = 20;
/// Pages of members that one call of the witness reads: 100 000 members, each group once.
const PAGES_MAX: usize = 100;
/// What `checkMemberGroups` needs.
const CHECK: &str = "User.Read.All and GroupMember.Read.All, or Directory.Read.All";

/// Evidence.
const NOT_NAMED: &str = "checkMemberGroups does not name the group";
const ONLY_NESTED: &str = "a member through a nested group alone, no direct one";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Membership {
    pub(super) group: SourceId,
    pub(super) principal: Principal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    Open,
    Hidden,
    Gone,
    Unknown(String),
}

/// What the first round says of one membership.
#[derive(Clone, Debug, PartialEq)]
enum Check {
    Yes,
    No,
    /// There is no such principal.
    Nobody,
    Nothing(String),
}

/// In the order of the questions.
pub(super) async fn answers(graph: &Graph, asked: &[Membership]) -> Result<Vec<WitnessAnswer>, SourceError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let distinct: BTreeSet<&Membership> = asked.iter().collect();
    let (groups, checks) = first_round(graph, &distinct).await?;
    let nobody = checks.iter().filter(|(_, check)| **check == Check::Nobody);
    let fates = exists::fates(graph, nobody.map(|(asked, _)| asked.principal.clone()).collect()).await?;
    let mut second = Second::look(graph, &groups, &checks).await?;
    let mut answers = BTreeMap::new();
    for (membership, check) in checks {
        let answer = match (check, groups.get(&membership.group)) {
            (Check::Nobody, _) => exists::fate_of(&fates, &membership.principal),
            (Check::Nothing(why), _) => WitnessAnswer::CannotSay(why),
            (Check::Yes, group) => second.yes(&membership, group).await,
            (Check::No, Some(Group::Open)) => absent(NOT_NAMED),
            (Check::No, Some(Group::Gone)) => absent("the group is not in the directory"),
            (Check::No, Some(Group::Unknown(why))) => WitnessAnswer::CannotSay(why.clone()),
            (Check::No, Some(Group::Hidden) | None) => second.hidden_no(&membership).await,
        };
        answers.insert(membership, answer);
    }
    let unasked = || WitnessAnswer::CannotSay("this membership was not asked for".to_owned());
    Ok(asked.iter().map(|question| answers.get(question).cloned().unwrap_or_else(unasked)).collect())
}

fn absent(evidence: &'static str) -> WitnessAnswer {
    WitnessAnswer::Absent(evidence.into())
}

/// The groups, and `checkMemberGroups` of every principal with up to twenty of them at once.
async fn first_round(
    graph: &Graph,
    asked: &BTreeSet<&Membership>,
) -> Result<(BTreeMap<SourceId, Group>, BTreeMap<Membership, Check>), SourceError> {
    let groups: BTreeSet<SourceId> = asked.iter().map(|membership| membership.group.clone()).collect();
    let mut of: BTreeMap<&Principal, Vec<&SourceId>> = BTreeMap::new();
    for membership in asked {
        of.entry(&membership.principal).or_default().push(&membership.group);
    }
    let questions: Vec<(&Principal, &[&SourceId])> = of
        .iter()
        .flat_map(|(principal, groups)| groups.chunks(GROUPS_A_QUESTION).map(|chunk| (*principal, chunk)))
        .collect();
    let mut parts: Vec<Part> = groups.iter().map(look).collect();
    parts.extend(questions.iter().map(|(principal, groups)| check(principal, groups)));
    let mut heard = graph.batch(&parts).await?.into_iter();
    let groups = groups.into_iter().zip(heard.by_ref()).map(|(id, answer)| (id, group(answer))).collect();
    let mut checks = BTreeMap::new();
    let mut apart = Vec::new();
    for ((principal, groups), answer) in questions.into_iter().zip(heard) {
        // One malformed id fails the whole question, so that each is asked on its own then.
        if answer.status == 400 && groups.len() > 1 {
            apart.extend(groups.iter().map(|group| (principal, [*group])));
        } else {
            checks.extend(checked(principal, groups, answer));
        }
    }
    let parts: Vec<Part> = apart.iter().map(|(principal, groups)| check(principal, groups)).collect();
    for ((principal, groups), answer) in apart.iter().zip(graph.batch(&parts).await?) {
        checks.extend(checked(principal, groups, answer));
    }
    Ok((groups, checks))
}

fn look(group: &SourceId) -> Part {
    let group = Principal { kind: Kind::Group, id: group.clone() };
    Part::get(format!("{}?$select=id,visibility", group.path()))
}

fn check(principal: &Principal, groups: &[&SourceId]) -> Part {
    let ids: Vec<&str> = groups.iter().map(|group| group.0.as_str()).collect();
    Part::ask(format!("{}/checkMemberGroups", principal.path()), json!({ "groupIds": ids }))
}

fn group(answer: PartAnswer) -> Group {
    match said(answer, MEMBER_READ) {
        Said::Whole(body) if text_of(&body, "visibility") == Some("HiddenMembership") => Group::Hidden,
        Said::Whole(_) => Group::Open,
        Said::NotThere => Group::Gone,
        Said::Nothing(why) => Group::Unknown(why),
    }
}

fn checked(principal: &Principal, groups: &[&SourceId], answer: PartAnswer) -> Vec<(Membership, Check)> {
    let said = said(answer, CHECK);
    let each = groups.iter().map(|group| {
        let check = match &said {
            Said::Whole(body) => named(body, group),
            Said::NotThere => Check::Nobody,
            Said::Nothing(why) => Check::Nothing(why.clone()),
        };
        (Membership { group: (*group).clone(), principal: principal.clone() }, check)
    });
    each.collect()
}

fn named(body: &Value, group: &SourceId) -> Check {
    let Some(named) = body.get("value").and_then(Value::as_array) else {
        return Check::Nothing("the answer of checkMemberGroups cannot be read".to_owned());
    };
    let hit = named.iter().filter_map(Value::as_str).any(|id| id.eq_ignore_ascii_case(&group.0));
    if hit { Check::Yes } else { Check::No }
}

/// The second look.
struct Second<'a> {
    graph: &'a Graph,
    /// Direct groups of those whom `checkMemberGroups` named, in lower case; `None` where they cannot be had.
    direct: BTreeMap<Principal, Option<BTreeSet<String>>>,
    /// Members of groups, read once; or why they cannot be had.
    members: BTreeMap<SourceId, Result<BTreeSet<String>, String>>,
    pages: usize,
}

impl<'a> Second<'a> {
    async fn look(
        graph: &'a Graph,
        groups: &BTreeMap<SourceId, Group>,
        checks: &BTreeMap<Membership, Check>,
    ) -> Result<Second<'a>, SourceError> {
        let named = checks.iter().filter(|(membership, check)| {
            **check == Check::Yes && groups.get(&membership.group) == Some(&Group::Open)
        });
        let principals: BTreeSet<&Principal> = named.map(|(membership, _)| &membership.principal).collect();
        let parts = principals
            .iter()
            .map(|principal| Part::get(format!("{}/memberOf?$select=id&$top=999", principal.path())));
        let heard = graph.batch(&parts.collect::<Vec<_>>()).await?;
        let mut second =
            Second { graph, direct: BTreeMap::new(), members: BTreeMap::new(), pages: PAGES_MAX };
        for (principal, answer) in principals.into_iter().zip(heard) {
            let listing = match said(answer, DIRECTORY_READ) {
                Said::Whole(body) => serde_json::from_value::<Listing<Value>>(body).ok(),
                _ => None,
            };
            let groups = match listing {
                Some(first) => second.all_of(first).await.ok(),
                None => None,
            };
            second.direct.insert(principal.clone(), groups);
        }
        Ok(second)
    }

    async fn yes(&mut self, membership: &Membership, group: Option<&Group>) -> WitnessAnswer {
        if group == Some(&Group::Open)
            && let Some(Some(groups)) = self.direct.get(&membership.principal)
        {
            return among(groups, &membership.group, ONLY_NESTED);
        }
        match self.members(&membership.group).await {
            // Who is in it through a nested group leaves it at least that group as a member.
            Ok(members) if !members.is_empty() => among(members, &membership.principal.id, ONLY_NESTED),
            _ => WitnessAnswer::Present,
        }
    }

    /// Where a group that hides its members shows us nobody, we may not be allowed to evaluate it.
    async fn hidden_no(&mut self, membership: &Membership) -> WitnessAnswer {
        match self.members(&membership.group).await {
            Ok(members) if !members.is_empty() => among(members, &membership.principal.id, NOT_NAMED),
            Ok(_) => WitnessAnswer::CannotSay(
                "the group hides its members; add the application permission Member.Read.Hidden".to_owned(),
            ),
            Err(why) => WitnessAnswer::CannotSay(why.clone()),
        }
    }

    async fn members(&mut self, group: &SourceId) -> &Result<BTreeSet<String>, String> {
        if !self.members.contains_key(group) {
            let read = self.read(group).await;
            self.members.insert(group.clone(), read);
        }
        &self.members[group]
    }

    async fn read(&mut self, group: &SourceId) -> Result<BTreeSet<String>, String> {
        let group = Principal { kind: Kind::Group, id: group.clone() };
        let address = format!("{}/members?$select=id&$top=999", group.path());
        let url = self.graph.own(&address).map_err(|error| error.to_string())?;
        let first = self.page(url, Link::Own).await?;
        self.all_of(first).await
    }

    async fn all_of(&mut self, mut listing: Listing<Value>) -> Result<BTreeSet<String>, String> {
        let mut ids = BTreeSet::new();
        loop {
            for row in &listing.value {
                ids.insert(text_of(row, "id").ok_or("a member came without an id")?.to_lowercase());
            }
            let Some(next) = listing.next else { return Ok(ids) };
            let url = self.graph.given(&next).map_err(|error| error.to_string())?;
            listing = self.page(url, Link::Next).await?;
        }
    }

    async fn page(&mut self, url: Url, link: Link) -> Result<Listing<Value>, String> {
        self.pages = self.pages.checked_sub(1).ok_or_else(|| {
            format!("more than {PAGES_MAX} pages of members would have to be read; the next cycle goes on")
        })?;
        self.graph.get(url, link, MEMBER_READ).await.map_err(|trouble| match trouble {
            Trouble::Source(error) => {
                if matches!(error, SourceError::Unavailable { .. }) {
                    // It has been waited for long enough.
                    self.pages = 0;
                }
                error.to_string()
            }
            _ => "the list of members broke off".to_owned(),
        })
    }
}

fn among(ids: &BTreeSet<String>, id: &SourceId, evidence: &'static str) -> WitnessAnswer {
    if ids.contains(&id.0.to_lowercase()) { WitnessAnswer::Present } else { absent(evidence) }
}
