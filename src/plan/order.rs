//! Renames in an order that a target with unique names can take: releases before takes, swaps through a
//! temporary name.

use std::collections::BTreeMap;

use crate::model::LinkId;

/// One link whose unique value changes. Keys are folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub link: LinkId,
    pub from: String,
    pub to: String,
}

/// What is done with one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes its final value. `released`: another had it until a step before, which has to be done first.
    Take { link: LinkId, released: bool },
    /// Gives its value up for a temporary one, because another in the circle needs it; a `Take` follows.
    Park(LinkId),
    /// Cannot be done: the value belongs to `owner`, which does not release it.
    Blocked { link: LinkId, owner: LinkId },
}

/// `owners`: who has each wanted key now. The order is that of the input where nothing forces another. No key is
/// wanted twice: those are held as duplicates before.
pub fn order(renames: &[Rename], owners: &BTreeMap<String, LinkId>) -> Vec<Step> {
    let by_link: BTreeMap<LinkId, &Rename> = renames.iter().map(|rename| (rename.link, rename)).collect();
    let mut state = Walk { by_link: &by_link, owners, marks: BTreeMap::new(), steps: Vec::new() };
    for rename in renames {
        state.visit(rename);
    }
    state.steps
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Blocked,
}

struct Walk<'a> {
    by_link: &'a BTreeMap<LinkId, &'a Rename>,
    owners: &'a BTreeMap<String, LinkId>,
    marks: BTreeMap<LinkId, Mark>,
    steps: Vec<Step>,
}

impl Walk<'_> {
    /// Follows the chain of owners from one rename to its end, then does it backwards. Chains are walked in a
    /// loop: a directory that shifts 100,000 names by one must not need a stack as deep.
    fn visit(&mut self, first: &Rename) {
        if self.marks.contains_key(&first.link) {
            return;
        }
        let mut chain = vec![first];
        let mut on_chain = BTreeMap::from([(first.link, 0)]);
        let mut blocked = None;
        let mut circle = false;
        while let Some(owner) = self.other_owner(chain[chain.len() - 1]) {
            match (self.by_link.get(&owner), self.marks.get(&owner)) {
                (_, Some(Mark::Done)) => break,
                (Some(next), None) if !on_chain.contains_key(&owner) => {
                    on_chain.insert(owner, chain.len());
                    chain.push(next);
                }
                (Some(_), None) => {
                    circle = true;
                    break;
                }
                (None, _) | (_, Some(Mark::Blocked)) => {
                    blocked = Some(owner);
                    break;
                }
            }
        }
        match blocked {
            Some(owner) => self.block(&chain, owner),
            None => self.take(&chain, circle),
        }
    }

    fn other_owner(&self, rename: &Rename) -> Option<LinkId> {
        self.owners.get(&rename.to).copied().filter(|owner| *owner != rename.link)
    }

    fn block(&mut self, chain: &[&Rename], mut owner: LinkId) {
        for rename in chain.iter().rev() {
            self.steps.push(Step::Blocked { link: rename.link, owner });
            self.marks.insert(rename.link, Mark::Blocked);
            owner = rename.link;
        }
    }

    /// In a circle the last of the chain takes the name of one that is on the chain: that one is parked first.
    fn take(&mut self, chain: &[&Rename], circle: bool) {
        let parked = circle.then(|| self.other_owner(chain[chain.len() - 1])).flatten();
        if let Some(link) = parked {
            self.steps.push(Step::Park(link));
        }
        for rename in chain.iter().rev() {
            let released = self.other_owner(rename).is_some();
            self.steps.push(Step::Take { link: rename.link, released });
            self.marks.insert(rename.link, Mark::Done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `owned`: "1=a" means link 1 has key a; `wants`: "1=b" means that link 1 shall have b.
    fn check(owned: &str, wants: &str, expected: &str) {
        let pairs = |text: &str| -> Vec<(i64, String)> {
            let pair =
                |word: &str| word.split_once('=').map(|(id, key)| (id.parse().expect("id"), key.to_owned()));
            text.split_whitespace().filter_map(pair).collect()
        };
        let owners: BTreeMap<String, LinkId> =
            pairs(owned).into_iter().map(|(id, key)| (key, LinkId(id))).collect();
        let from = |link: i64| owners.iter().find(|(_, owner)| owner.0 == link).map(|(key, _)| key.clone());
        let renames: Vec<Rename> = pairs(wants)
            .into_iter()
            .map(|(id, to)| Rename { link: LinkId(id), from: from(id).expect("owned"), to })
            .collect();
        let steps: Vec<String> = order(&renames, &owners)
            .iter()
            .map(|step| match step {
                Step::Take { link, released: false } => format!("take {}", link.0),
                Step::Take { link, released: true } => format!("then take {}", link.0),
                Step::Park(link) => format!("park {}", link.0),
                Step::Blocked { link, owner } => format!("blocked {} by {}", link.0, owner.0),
            })
            .collect();
        assert_eq!(steps.join(", "), expected);
    }

    #[test]
    fn a_plain_rename_takes_its_name() {
        check("1=a", "1=b", "take 1");
    }

    #[test]
    fn a_release_comes_before_the_take() {
        check("1=a 2=b", "1=b 2=c", "take 2, then take 1");
        check("1=a 2=b 3=c", "1=b 2=c 3=d", "take 3, then take 2, then take 1");
    }

    #[test]
    fn two_who_swap_go_through_a_temporary_name() {
        check("1=a 2=b", "1=b 2=a", "park 1, then take 2, then take 1");
    }

    #[test]
    fn a_circle_of_three_parks_one() {
        check("1=a 2=b 3=c", "1=b 2=c 3=a", "park 1, then take 3, then take 2, then take 1");
    }

    #[test]
    fn a_name_that_nobody_releases_blocks_and_so_does_what_waits_for_it() {
        check("1=a 2=b 3=c", "1=b 2=c", "blocked 2 by 3, blocked 1 by 2");
    }

    #[test]
    fn a_case_only_change_of_ones_own_name_is_no_conflict() {
        check("1=a", "1=a", "take 1");
    }
}
