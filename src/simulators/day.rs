//! The scripted day of `rosterd demo`: a dozen things that happen in a company, in both flavours.

use super::Flavour;
use super::changes::Change;
use super::changes::Hire;
use super::directory::Directory;
use super::directory::Life;
use super::directory::Principal;
use super::names::AWKWARD;
use super::seed::DOMAIN;
use super::world::World;

/// What a person would say, and the change; to be made in this order. What a small directory has nobody for is
/// left out. The same world gives the same day.
pub fn demo_day(world: &World) -> Vec<(String, Change)> {
    let state = world.state();
    let mut day = Day { directory: &state.directory, taken: Vec::new(), told: Vec::new() };
    day.hires();
    day.marriage();
    day.moves();
    day.second_team();
    day.disabled();
    day.unassigned();
    day.leaver();
    day.return_of_a_leaver();
    day.team_renamed();
    day.recycled_address();
    day.told
}

struct Day<'a> {
    directory: &'a Directory,
    /// People whom something happens to already.
    taken: Vec<u32>,
    told: Vec<(String, Change)>,
}

impl Day<'_> {
    fn tell(&mut self, said: impl Into<String>, change: Change) {
        self.told.push((said.into(), change));
    }

    /// The first ordinary, active person whom nothing happens to yet and who fits.
    fn take(&mut self, fits: impl Fn(&Directory, u32) -> bool) -> Option<u32> {
        let known = self.directory;
        let all = 0..known.people.len() as u32;
        let found = all.skip(AWKWARD.len().min(known.people.len() / 2)).find(|&person| {
            known.is_active(person) && !self.taken.contains(&person) && fits(known, person)
        })?;
        self.taken.push(found);
        Some(found)
    }

    fn name(&self, person: u32) -> String {
        self.directory.person(person).display_name.to_string()
    }

    fn id(&self, person: u32) -> String {
        self.directory.person(person).id.to_string()
    }

    /// The live groups that are assigned to the application, in the order of their making.
    fn teams(&self) -> Vec<u32> {
        let mut teams = self.directory.assigned_groups();
        teams.sort_unstable();
        teams
    }

    fn hires(&mut self) {
        let team = self.teams().first().copied();
        let mut nadia = Hire::assigned(&format!("nadia.okonkwo@{DOMAIN}"), "Nadia", "Okonkwo");
        nadia.groups = team.map(|team| self.directory.group(team).id.to_string()).into_iter().collect();
        let place = team.map(|team| format!(" in {}", self.directory.group(team).name)).unwrap_or_default();
        self.tell(format!("Nadia Okonkwo starts{place}"), Change::Hire(nadia));
        let lukasz = Hire::assigned(&format!("lukasz.zak@{DOMAIN}"), "Łukasz", "Żak");
        self.tell("Łukasz Żak starts", Change::Hire(lukasz));
    }

    fn marriage(&mut self) {
        let Some(who) = self.take(|known, person| known.person(person).given_name.is_some()) else { return };
        let given = self.directory.person(who).given_name.as_deref().unwrap_or_default().to_owned();
        let login =
            format!("{}.holm@{DOMAIN}", self.directory.person(who).login.split('.').next().unwrap_or("x"));
        let free = self.directory.person_by_login(&login).is_none();
        let said = format!("{} marries and is now called {given} Holm", self.name(who));
        let change = Change::Rename {
            who: self.id(who),
            login: free.then(|| login.clone()),
            mail: free.then_some(login),
            given_name: None,
            surname: Some("Holm".to_owned()),
            display_name: Some(format!("{given} Holm")),
        };
        self.tell(said, change);
    }

    fn moves(&mut self) {
        let teams = self.teams();
        let fitting = |known: &Directory, person: u32| {
            let held: Vec<u32> = known.assigned_groups_of(person).collect();
            let free = teams.iter().find(|team| !held.contains(team));
            held.first().copied().zip(free.copied())
        };
        let Some(who) = self.take(|known, person| fitting(known, person).is_some()) else { return };
        let Some((from, to)) = fitting(self.directory, who) else { return };
        let (from, to) = (self.directory.group(from), self.directory.group(to));
        let said = format!("{} moves from {} to {}", self.name(who), from.name, to.name);
        let change = Change::Move { who: self.id(who), from: from.id.to_string(), to: to.id.to_string() };
        self.tell(said, change);
    }

    fn second_team(&mut self) {
        let Some(&team) = self.teams().first() else { return };
        let outside = |known: &Directory, person: u32| {
            let members = &known.group(team).members;
            !members.contains(&Principal::User(person)) && known.assigned_groups_of(person).next().is_some()
        };
        let Some(who) = self.take(outside) else { return };
        let team = self.directory.group(team);
        let said = format!("{} helps out in {} as well", self.name(who), team.name);
        self.tell(said, Change::Join { group: team.id.to_string(), member: self.id(who) });
    }

    fn disabled(&mut self) {
        let Some(who) = self.take(|_, _| true) else { return };
        let said = format!("{} goes on parental leave, the account is disabled", self.name(who));
        self.tell(said, Change::Disable { who: self.id(who) });
    }

    fn unassigned(&mut self) {
        let only_direct = |known: &Directory, person: u32| {
            known.is_assigned(Principal::User(person)) && known.assigned_groups_of(person).next().is_none()
        };
        let Some(who) = self.take(only_direct) else { return };
        let said = format!("{} does not need the application any more", self.name(who));
        self.tell(said, Change::Unassign { principal: self.id(who) });
    }

    fn leaver(&mut self) {
        let Some(who) = self.take(|_, _| true) else { return };
        self.tell(format!("{} leaves", self.name(who)), Change::SoftDelete { who: self.id(who) });
    }

    /// The seed left somebody deleted; Okta gives the application back only through a group.
    fn return_of_a_leaver(&mut self) {
        let known = self.directory;
        let all = 0..known.people.len() as u32;
        let returns = |&person: &u32| {
            matches!(known.person(person).life, Life::Deleted(_))
                && known.person_by_login(&known.person(person).login).is_none_or(|holder| holder == person)
        };
        let Some(who) = all.into_iter().find(returns) else { return };
        let said = format!("{}, who had left, comes back", self.name(who));
        self.tell(said, Change::Restore { who: self.id(who) });
    }

    fn team_renamed(&mut self) {
        let Some(&team) = self.teams().last() else { return };
        let team = self.directory.group(team);
        let name = format!("{} (EMEA)", team.name);
        let said = format!("The team {} is now called {name}", team.name);
        self.tell(said, Change::RenameGroup { group: team.id.to_string(), name });
    }

    /// Somebody leaves, and a new colleague gets the same address on the same day.
    fn recycled_address(&mut self) {
        let Some(who) = self.take(|_, _| true) else { return };
        let login = self.directory.person(who).login.to_string();
        let id = self.id(who);
        self.tell(format!("{} leaves as well", self.name(who)), Change::SoftDelete { who: id.clone() });
        // Okta keeps the login for a deactivated user; only deleting the record frees it.
        if self.directory.flavour == Flavour::Okta {
            self.tell("… and the record is deleted", Change::Purge { who: id });
        }
        let said = format!("Robin Marsh starts and is given that address, {login}");
        self.tell(said, Change::Hire(Hire::assigned(&login, "Robin", "Marsh")));
    }
}
