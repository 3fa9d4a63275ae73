//! What happens in the company between two cycles of a run, by its seed.

use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::World;

/// Numbers that a seed decides (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below.max(1)
    }

    /// Takes one out.
    fn draw(&mut self, from: &mut Vec<String>) -> Option<String> {
        (!from.is_empty()).then(|| from.swap_remove(self.roll(from.len() as u64) as usize))
    }
}

/// Hires, a marriage, a swap of two addresses, updates, a leaver, somebody disabled, moves between teams, a team renamed,
/// managers; each with somebody of their own.
pub fn happens(world: &World, dice: &mut Dice, day: u64) {
    let snapshot = world.snapshot();
    let mut people: Vec<String> = snapshot.people.keys().cloned().collect();
    let teams: Vec<String> = snapshot.teams().map(|(id, _)| id.clone()).collect();
    let login = |id: &str| snapshot.people[id].login.clone();
    let mut all = Vec::new();
    for number in 0..1 + dice.roll(3) {
        let mut hire = Hire::assigned(&format!("new.{day}.{number}@acme.example"), "New", "Comer");
        hire.groups = teams.iter().take(dice.roll(3) as usize).cloned().collect();
        all.push(Change::Hire(hire));
    }
    if let Some(who) = dice.draw(&mut people) {
        let address = format!("married.{day}@acme.example");
        let (login, mail) = (Some(address.clone()), Some(address));
        let surname = Some("Holm".to_owned());
        all.push(Change::Rename { who, login, mail, given_name: None, surname, display_name: None });
    }
    if let (Some(one), Some(other)) = (dice.draw(&mut people), dice.draw(&mut people)) {
        all.push(Change::SwapLogins { one: login(&one), other: login(&other) });
    }
    for _ in 0..dice.roll(3) {
        let Some(who) = dice.draw(&mut people) else { break };
        all.push(Change::Set { who, property: "givenName".to_owned(), value: format!("Given{day}").into() });
    }
    if let Some(who) = dice.draw(&mut people) {
        all.push(Change::SoftDelete { who });
    }
    if let Some(who) = dice.draw(&mut people) {
        all.push(Change::Disable { who });
    }
    for (id, group) in snapshot.teams() {
        let outside = people.iter().find(|who| !group.members.contains(*who)).cloned();
        let inside = people.iter().rev().find(|who| group.members.contains(*who)).cloned();
        all.extend(outside.map(|member| Change::Join { group: id.clone(), member }));
        all.extend(
            inside.filter(|_| dice.roll(2) == 0).map(|member| Change::Leave { group: id.clone(), member }),
        );
    }
    if let Some(group) = teams.first() {
        all.push(Change::RenameGroup { group: group.clone(), name: format!("Team of day {day}") });
    }
    if world.flavour() == Flavour::Graph
        && let (Some(who), Some(manager)) = (dice.draw(&mut people), dice.draw(&mut people))
    {
        all.push(Change::SetManager { who, manager: Some(manager) });
    }
    // Whoever has lost an account's last group may be none of those whom a later change means.
    all.into_iter().for_each(|change| drop(world.change(change)));
}
