//! The golden scenarios of Graph (graph.md section 11) as data: a tenant, its knobs, and what happens on which day.

use jiff::SignedDuration;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::World;

use super::site::hire;
use super::site::login;
use super::site::long_ago;

/// What a workspace shows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What the directory says.
    Equal,
    /// What it said before the last day: its removals are too many and wait.
    Held,
    /// A leaver keeps the account, and whoever has the leaver's name now waits for it (P7).
    NameTaken,
}

pub struct Golden {
    pub name: &'static str,
    /// As `simulate --knob` writes them.
    pub knobs: &'static [&'static str],
    pub world: World,
    /// A cycle comes before the first and after each.
    pub days: Vec<Day>,
    pub end: End,
}

pub struct Day {
    /// Time that passes before it.
    pub after: SignedDuration,
    pub changes: Vec<Change>,
}

fn day(changes: Vec<Change>) -> Day {
    Day { after: SignedDuration::ZERO, changes }
}

/// Each with a name that a failing test can tell.
pub fn all() -> Vec<Golden> {
    let mut all = vec![first_round(), big_group(450)];
    all.extend(names());
    all.extend(lives());
    all.extend(shapes());
    all.extend([expired_token(), mass_removal()]);
    all
}

fn golden(name: &'static str, world: World, days: Vec<Day>) -> Golden {
    Golden { name, knobs: &[], world, days, end: End::Equal }
}

/// One assigned team with so many people, numbered.
fn team(people: usize) -> World {
    let world = World::empty(Flavour::Graph, long_ago());
    make(&world, "Team", true);
    for number in 0..people {
        hire(&world, &format!("p{number}"), &["Team"], false);
    }
    world
}

fn make(world: &World, name: &str, assigned: bool) {
    let change = Change::CreateGroup { name: name.to_owned(), id: None, assigned };
    world.change(change).expect("a group");
}

/// Two pages of two hundred.
fn first_round() -> Golden {
    let world = World::empty(Flavour::Graph, long_ago());
    for number in 0..250 {
        hire(&world, &format!("p{number}"), &[], true);
    }
    golden("a first round of 250 people", world, vec![day(vec![rename("p249")])])
}

/// Slices over pages, in a first and in a later round.
pub fn big_group(members: usize) -> Golden {
    let world = team(members);
    make(&world, "Other", true);
    let leave =
        |number: usize| Change::Leave { group: "Team".to_owned(), member: login(&format!("p{number}")) };
    let days = vec![day((0..members).step_by(2).map(leave).collect())];
    Golden { knobs: &["links_per_page=100"], ..golden("a group over many pages", world, days) }
}

fn rename(given: &str) -> Change {
    Change::Rename {
        who: login(given),
        login: None,
        mail: None,
        given_name: None,
        surname: Some("Holm".to_owned()),
        display_name: None,
    }
}

fn names() -> Vec<Golden> {
    let swap = Change::SwapLogins { one: login("p0"), other: login("p1") };
    let reborn = vec![
        Change::SoftDelete { who: login("p0") },
        Change::Hire(Hire { groups: vec!["Team".to_owned()], ..Hire::assigned(&login("p0"), "Pia", "New") }),
    ];
    let renamed = Change::RenameGroup { group: "Team".to_owned(), name: "Band".to_owned() };
    vec![
        golden("two names are swapped in one round", team(3), vec![day(vec![swap])]),
        Golden {
            end: End::NameTaken,
            ..golden("a name is held by somebody new", team(3), vec![day(reborn)])
        },
        golden("a group is renamed", team(2), vec![day(vec![renamed])]),
    ]
}

fn lives() -> Vec<Golden> {
    let world = team(3);
    let who = world.id_of(&login("p0")).expect("a person");
    let back = vec![
        day(vec![Change::SoftDelete { who: who.clone() }]),
        // A day later everything is read anew, which finds what delta does not tell.
        Day { after: SignedDuration::from_hours(25), changes: vec![Change::Restore { who }] },
    ];
    let silent = Golden { knobs: &["silent_restore=true"], ..golden("a silent restore", world, back) };
    let early = team(3);
    early.change(Change::Disable { who: login("p0") }).expect("a change");
    let enabled = vec![day(vec![Change::Enable { who: login("p0") }])];
    vec![silent, golden("somebody is disabled before the first cycle", early, enabled)]
}

fn shapes() -> Vec<Golden> {
    let circle = team(2);
    make(&circle, "A", true);
    make(&circle, "B", true);
    for (group, member) in [("A", "B"), ("B", "A")] {
        circle.change(Change::Join { group: group.to_owned(), member: member.to_owned() }).expect("a change");
    }
    hire(&circle, "ann", &["A"], false);
    hire(&circle, "bo", &["B"], false);
    let move_on = Change::Move { who: login("ann"), from: "A".to_owned(), to: "B".to_owned() };

    let roles = team(1);
    hire(&roles, "ann", &[], false);
    let assign = |role: &str| Change::Assign { principal: login("ann"), role: Some(role.to_owned()) };
    for role in ["User", "Admin"] {
        roles.change(assign(role)).expect("a change");
    }
    let unassign = Change::Unassign { principal: login("ann") };

    let guests = team(1);
    let upn = "kim_partner.example#EXT#@acme.example";
    let mail = Some("kim@partner.example".to_owned());
    let guest = Hire { guest: true, mail, ..Hire::assigned(upn, "Kim", "Roe") };
    guests.change(Change::Hire(guest)).expect("a change");
    vec![
        golden("two groups hold each other", circle, vec![day(vec![move_on])]),
        golden("an assignment has two roles", roles, vec![day(vec![unassign])]),
        golden("a guest is assigned", guests, vec![day(vec![rename("p0")])]),
    ]
}

/// Eight days without a cycle: nobody is removed for it.
fn expired_token() -> Golden {
    let eight_days = Day { after: SignedDuration::from_hours(8 * 24), changes: vec![rename("p1")] };
    golden("a token expires after eight days", team(5), vec![eight_days])
}

fn mass_removal() -> Golden {
    let unassign = Change::Unassign { principal: "Team".to_owned() };
    Golden {
        end: End::Held,
        ..golden("a whole team loses its assignment", team(60), vec![day(vec![unassign])])
    }
}
