//! A seeded directory of any size: awkward people first, then as many ordinary ones as asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Assigned;
use super::Flavour;
use super::Size;
use super::changes::Hire;
use super::directory::Directory;
use super::directory::Life;
use super::directory::Other;
use super::directory::Principal;
use super::directory::Status;
use super::names::AWKWARD;
use super::names::Awkward;
use super::names::DEPARTMENTS;
use super::names::GIVEN;
use super::names::GROUPS;
use super::names::JOB_TITLES;
use super::names::Mail;
use super::names::SURNAMES;
use super::people::new_person;
use super::teams::new_group;

/// The domain of every seeded address; `.example` belongs to nobody (RFC 2606).
pub const DOMAIN: &str = "acme.example";

/// Below this size nothing is nested and nobody sits in the recycle bin: small worlds are for exact tests.
const GROUPS_FOR_ODDITIES: usize = 6;
const USERS_FOR_ODDITIES: usize = 30;

pub(super) fn seed(directory: &mut Directory, size: Size, assigned: Assigned, now: Timestamp) {
    add_groups(directory, size, now);
    let shared = match assigned {
        Assigned::Everyone => 0,
        Assigned::Most => size.groups.div_ceil(3),
    };
    for group in 0..shared {
        directory.assign(Principal::Group(group as u32), 0, now);
    }
    for number in 0..size.users {
        add_user(directory, size, number, shared, now);
    }
    if assigned == Assigned::Most {
        add_oddities(directory, size, now);
    }
}

fn add_groups(directory: &mut Directory, size: Size, now: Timestamp) {
    for number in 0..size.groups {
        let (round, place) = (number / GROUPS.len(), number % GROUPS.len());
        let name = match round {
            0 => GROUPS[place].to_owned(),
            _ => format!("{} {}", GROUPS[place], round + 1),
        };
        let id = directory.new_id("00g");
        let mut group = new_group(&name, id, now);
        group.description = (place % 2 == 0).then(|| format!("Everybody in {name}").into());
        directory.add_group(group);
    }
}

/// `shared` is the number of groups, from the first on, that are assigned to the application; 0 means that
/// everybody is assigned directly.
fn add_user(directory: &mut Directory, size: Size, number: usize, shared: usize, now: Timestamp) {
    let awkward = AWKWARD.get(number).filter(|_| size.users >= USERS_FOR_ODDITIES);
    let emoji_in_okta =
        directory.flavour == Flavour::Okta && awkward.is_some_and(|known| known.display.contains('🦊'));
    let mut hire = match awkward {
        Some(known) if !emoji_in_okta => awkward_hire(known, directory.flavour),
        _ => ordinary_hire(directory, number),
    };
    hire.attributes = attributes(directory, number);
    let id = directory.new_id("00u");
    let person = directory.add_person(new_person(&hire, id, directory.flavour, now));
    if number > 0 && directory.random.chance(80) {
        directory.person_mut(person).manager = Some(directory.random.below(number.min(100)) as u32);
    }
    let has_app = shared == 0 || directory.random.chance(90);
    let open_groups = if has_app { 0..size.groups } else { shared..size.groups };
    join_some(directory, person, open_groups, size.memberships_per_user);
    let by_group = shared > 0 && directory.assigned_groups_of(person).next().is_some();
    if has_app && !(by_group && directory.random.chance(50)) {
        directory.assign(Principal::User(person), 0, now);
    }
    if shared > 0 && awkward.is_none() {
        give_status(directory, person);
    }
}

fn join_some(directory: &mut Directory, person: u32, groups: std::ops::Range<usize>, count: usize) {
    let count = count.min(groups.len());
    let mut joined = 0;
    while joined < count {
        let group = groups.start + directory.random.below(groups.len());
        if directory.join(group as u32, Principal::User(person)) {
            joined += 1;
        }
    }
}

/// A few in a hundred are disabled before the first sync; Okta has more ways to be away.
fn give_status(directory: &mut Directory, person: u32) {
    let status = match (directory.random.below(100), directory.flavour) {
        (0..3, _) => Status::Suspended,
        (3, Flavour::Okta) => Status::Staged,
        (4, Flavour::Okta) => Status::Provisioned,
        (5, Flavour::Okta) => Status::PasswordExpired,
        (6, Flavour::Okta) => Status::LockedOut,
        (7, Flavour::Okta) => Status::Recovery,
        _ => return,
    };
    directory.person_mut(person).status = status;
}

fn awkward_hire(known: &Awkward, flavour: Flavour) -> Hire {
    let login = match (known.guest, flavour) {
        (true, Flavour::Graph) => format!("{}#EXT#@{DOMAIN}", known.local),
        (true, Flavour::Okta) => known.local.replacen('_', "@", 1),
        (false, _) => format!("{}@{DOMAIN}", known.local),
    };
    let mail = match known.mail {
        Mail::SameAsLogin => Some(login.clone()),
        Mail::None => None,
        Mail::Other(address) => Some(address.to_owned()),
    };
    Hire {
        login,
        mail,
        given_name: known.given.map(str::to_owned),
        surname: known.surname.map(str::to_owned),
        display_name: Some(known.display.to_owned()),
        guest: known.guest,
        ..Hire::default()
    }
}

/// The number keeps logins apart once the names begin to repeat.
fn ordinary_hire(directory: &mut Directory, number: usize) -> Hire {
    let given = &GIVEN[directory.random.below(GIVEN.len())];
    let surname = &SURNAMES[directory.random.below(SURNAMES.len())];
    let plain = format!("{}.{}@{DOMAIN}", given.1, surname.1);
    let login = match directory.person_by_login(&plain) {
        None => plain,
        Some(_) => format!("{}.{}{number}@{DOMAIN}", given.1, surname.1),
    };
    let mut hire = Hire::assigned(&login, given.0, surname.0);
    hire.assigned = false;
    hire
}

fn attributes(directory: &mut Directory, number: usize) -> BTreeMap<String, Value> {
    let department = DEPARTMENTS[directory.random.below(DEPARTMENTS.len())];
    let title = JOB_TITLES[directory.random.below(JOB_TITLES.len())];
    BTreeMap::from([
        ("department".to_owned(), Value::from(department)),
        ("jobTitle".to_owned(), Value::from(title)),
        // A text with leading zeros (graph.md section 10).
        ("employeeId".to_owned(), Value::from(format!("{number:06}"))),
    ])
}

/// Nested groups with a circle, principals that are not people, and somebody who was deleted before the first
/// sync (in the first assigned group, so that a restore brings the application back).
fn add_oddities(directory: &mut Directory, size: Size, now: Timestamp) {
    if size.users >= USERS_FOR_ODDITIES && size.groups > 0 {
        let person = (size.users - 1) as u32;
        directory.join(0, Principal::User(person));
        directory.person_mut(person).life = Life::Deleted(now);
        directory.bin.insert((now, Principal::User(person)));
        match directory.flavour {
            Flavour::Graph => directory.release_login(person),
            Flavour::Okta => {
                directory.drop_assignments(Principal::User(person));
                directory.person_mut(person).status = Status::Deprovisioned;
            }
        }
    }
    match directory.flavour {
        Flavour::Okta => add_everyone(directory, now),
        Flavour::Graph if size.groups >= GROUPS_FOR_ODDITIES => {
            let last = (size.groups - 1) as u32;
            directory.join(1, Principal::Group(last));
            directory.join(last, Principal::Group(last - 1));
            directory.join(last - 1, Principal::Group(last));
            add_others(directory, now);
        }
        Flavour::Graph => {}
    }
}

fn add_others(directory: &mut Directory, now: Timestamp) {
    let kinds = [("device", "LAPTOP-0042"), ("servicePrincipal", "Nightly export")];
    for (kind, name) in kinds {
        let id = directory.random.guid();
        directory.others.push(Other { id, kind, name });
    }
    directory.join(0, Principal::Other(0));
    directory.assign(Principal::Other(1), 1, now);
}

/// Okta's built-in group of everybody; it is not assigned to the application.
fn add_everyone(directory: &mut Directory, now: Timestamp) {
    let id = directory.new_id("00g");
    let mut group = new_group("Everyone", id, now);
    group.built_in = true;
    let everyone = directory.add_group(group);
    for person in 0..directory.people.len() as u32 {
        directory.join(everyone, Principal::User(person));
    }
}
