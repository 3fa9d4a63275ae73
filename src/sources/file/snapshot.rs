//! A directory file as checked values: its records in file order, what they prove, and what was left out.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::form;
use super::form::Counts;
use super::form::Form;
use super::form::GroupRow;
use super::form::UserRow;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::Record;
use crate::model::SourceAttributes;
use crate::model::SourceId;
use crate::model::SourceObject;
use crate::model::Standing;
use crate::scim::Kind;
use crate::sources::SourceError;

/// Notes of one file: enough to find the pattern, few enough to read. The rest are counted.
const NOTES_MAX: usize = 50;

/// One file, read whole.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub directory: String,
    pub records: Vec<Record>,
    pub covered: Vec<(Collection, Coverage)>,
    pub notes: Vec<String>,
    pub tally: Tally,
    objects: BTreeSet<(Kind, SourceId)>,
    edges: BTreeSet<(Container, Kind, SourceId)>,
}

/// Declared and read counts, one pair a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub users: Count,
    pub groups: Count,
    pub assignments: Count,
    pub memberships: Count,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub declared: Option<usize>,
    pub read: usize,
    /// Something of this class was left out: what was read is not all there is.
    pub left_out: bool,
}

impl Count {
    fn of(declared: Option<usize>) -> Count {
        Count { declared, ..Count::default() }
    }

    pub fn differs(self) -> bool {
        self.declared.is_some_and(|declared| declared != self.read)
    }

    fn coverage(self) -> Coverage {
        if self.left_out || self.differs() { Coverage::Partial } else { Coverage::Full }
    }
}

impl Snapshot {
    /// # Errors
    /// `Malformed` where the file as a whole is not of the documented form. A bad row is left out and noted.
    pub fn parse(place: &str, text: &str) -> Result<Snapshot, SourceError> {
        // Exports of Windows tools begin with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let form = form::parse(place, text)?;
        let mut reading = Reading::new(text, form.counts);
        reading.users(&form);
        reading.groups(&form);
        reading.assignments(&form);
        reading.removals(&form);
        reading.doubled();
        reading.dangling();
        Ok(reading.finish(form))
    }

    pub fn has(&self, kind: Kind, id: &SourceId) -> bool {
        self.objects.contains(&(kind, id.clone()))
    }

    pub fn holds(&self, container: &Container, kind: Kind, principal: &SourceId) -> bool {
        self.edges.contains(&(container.clone(), kind, principal.clone()))
    }

    pub fn lists_app(&self, app: &SourceId) -> bool {
        self.covered.iter().any(|(collection, _)| *collection == Collection::Assignments(app.clone()))
    }
}

/// The walk over one form: what has been gathered so far.
struct Reading<'a> {
    text: &'a str,
    tally: Tally,
    objects: BTreeMap<(Kind, SourceId), Row>,
    edges: Vec<(Container, Kind, SourceId)>,
    removals: Vec<Record>,
    notes: Vec<String>,
}

/// One object of the file; `object` is `None` where its id came twice and nobody knows which row is right.
struct Row {
    place: usize,
    object: Option<SourceObject>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str, counts: Counts) -> Reading<'a> {
        let tally = Tally {
            users: Count::of(counts.users),
            groups: Count::of(counts.groups),
            assignments: Count::of(counts.assignments),
            memberships: Count::of(counts.memberships),
        };
        let (objects, edges) = (BTreeMap::new(), Vec::new());
        Reading { text, tally, objects, edges, removals: Vec::new(), notes: Vec::new() }
    }

    fn users(&mut self, form: &Form<'_>) {
        for (index, raw) in form.users.iter().flatten().enumerate() {
            match row::<UserRow>(raw).and_then(|row| named(&row.id).map(|id| (id, row))) {
                Ok((id, row)) => {
                    let standing = if row.enabled { Standing::Enabled } else { Standing::Disabled };
                    self.object(raw, Kind::User, id, standing, row.attributes);
                }
                Err(why) => {
                    self.tally.users.left_out = true;
                    self.left_out(raw, &format!("users[{index}]"), &why);
                }
            }
        }
    }

    fn groups(&mut self, form: &Form<'_>) {
        for (index, raw) in form.groups.iter().flatten().enumerate() {
            match row::<GroupRow>(raw).and_then(|row| named(&row.id).map(|id| (id, row))) {
                Ok((id, row)) => {
                    self.object(raw, Kind::Group, id.clone(), Standing::Enabled, row.attributes);
                    self.members(raw, &id, &row.members);
                }
                Err(why) => {
                    self.tally.groups.left_out = true;
                    self.tally.memberships.left_out = true;
                    self.left_out(raw, &format!("groups[{index}]"), &why);
                }
            }
        }
    }

    fn object(
        &mut self,
        raw: &RawValue,
        kind: Kind,
        id: SourceId,
        standing: Standing,
        mut attributes: SourceAttributes,
    ) {
        attributes.retain(|_, value| !value.is_null());
        let place = self.objects.len();
        let object = SourceObject { id: id.clone(), kind, standing, attributes };
        let Some(known) = self.objects.get_mut(&(kind, id.clone())) else {
            self.objects.insert((kind, id), Row { place, object: Some(object) });
            return;
        };
        known.object = None;
        match kind {
            Kind::User => self.tally.users.left_out = true,
            Kind::Group => {
                self.tally.groups.left_out = true;
                self.tally.memberships.left_out = true;
            }
        }
        let why = "the id comes twice, and which row is right cannot be known; both are left out".to_owned();
        self.left_out(raw, &format!("{} {id}", kind.word()), &why);
    }

    fn members(&mut self, raw: &RawValue, group: &SourceId, members: &[String]) {
        for (index, member) in members.iter().enumerate() {
            match form::principal(member) {
                Some((kind, id)) => self.edges.push((Container::Group(group.clone()), kind, id)),
                None => {
                    self.tally.memberships.left_out = true;
                    self.left_out(raw, &format!("group {group}, members[{index}]"), REFERENCE);
                }
            }
        }
    }

    fn assignments(&mut self, form: &Form<'_>) {
        for (app, principals) in form.apps.iter().flatten() {
            for (index, principal) in principals.iter().enumerate() {
                match form::principal(principal) {
                    Some((kind, id)) => {
                        self.edges.push((Container::App(SourceId(app.clone())), kind, id));
                    }
                    None => {
                        self.tally.assignments.left_out = true;
                        self.notes.push(format!("apps.{app}[{index}] is left out: {REFERENCE}"));
                    }
                }
            }
        }
    }

    /// Explicit removals. Who is also a row of the file is there: the file contradicts itself, and stays.
    fn removals(&mut self, form: &Form<'_>) {
        let gone = form.deleted.iter().map(|who| ("deleted", who, Standing::Gone));
        let binned = form.recycle_bin.iter().map(|who| ("recycle_bin", who, Standing::SoftDeleted));
        for (list, reference, standing) in gone.chain(binned) {
            match form::principal(reference) {
                Some((kind, id)) if self.objects.contains_key(&(kind, id.clone())) => {
                    self.notes.push(format!(
                        "{} {id} is both in the directory and in `{list}`; it is taken as there",
                        kind.word()
                    ))
                }
                Some((kind, id)) => self.removals.push(Record::Removed { kind, id, standing }),
                None => self.notes.push(format!("an entry of `{list}` is left out: {REFERENCE}")),
            }
        }
    }

    /// An entry that stands twice may stand in the place of another that is lost, and no count would tell.
    fn doubled(&mut self) {
        let mut once = BTreeSet::new();
        let twice: BTreeSet<_> = self.edges.iter().filter(|edge| !once.insert(*edge)).collect();
        for (container, kind, id) in twice {
            let (count, place) = match container {
                Container::App(app) => (&mut self.tally.assignments, format!("apps.{app}")),
                Container::Group(group) => (&mut self.tally.memberships, format!("group {group}")),
            };
            count.left_out = true;
            let who = format!("{} {id}", kind.word());
            self.notes.push(format!(
                "{place} names {who} twice: nothing is removed for being absent until it does not"
            ));
        }
    }

    /// An edge may name somebody whom the file does not hold; the edge is true, and the administrator should know.
    fn dangling(&mut self) {
        let missing: BTreeSet<_> = self
            .edges
            .iter()
            .filter(|(_, kind, id)| !self.objects.contains_key(&(*kind, id.clone())))
            .map(|(_, kind, id)| (*kind, id))
            .collect();
        let notes: Vec<String> = missing
            .into_iter()
            .map(|(kind, id)| {
                format!("{} {id} is named as a member or assigned, but is not in the file", kind.word())
            })
            .collect();
        self.notes.extend(notes);
    }

    fn left_out(&mut self, raw: &RawValue, what: &str, why: &str) {
        let line = line_of(self.text, raw);
        self.notes.push(format!("line {line}: {what} is left out: {why}"));
    }

    fn finish(mut self, form: Form<'_>) -> Snapshot {
        self.count();
        self.drop_doubtful_groups();
        let edges: BTreeSet<_> = std::mem::take(&mut self.edges).into_iter().collect();
        let covered = covered(&form, self.tally);
        let objects = self.objects.keys().cloned().collect();
        let mut rows: Vec<Row> = self.objects.into_values().collect();
        rows.sort_by_key(|row| row.place);
        let mut records: Vec<Record> =
            rows.into_iter().filter_map(|row| row.object).map(Record::Object).collect();
        records.extend(self.removals);
        records.extend(edges.iter().cloned().map(|(container, kind, principal)| Record::Edge {
            container,
            principal,
            kind,
            detail: String::new(),
        }));
        let notes = shortened(self.notes);
        let directory = form.directory;
        Snapshot { directory, records, covered, notes, tally: self.tally, objects, edges }
    }

    /// A group whose rows contradict each other has no members that could be believed.
    fn drop_doubtful_groups(&mut self) {
        let doubtful: BTreeSet<SourceId> = self
            .objects
            .iter()
            .filter(|((kind, _), row)| *kind == Kind::Group && row.object.is_none())
            .map(|((_, id), _)| id.clone())
            .collect();
        self.edges.retain(|(container, ..)| match container {
            Container::Group(id) => !doubtful.contains(id),
            Container::App(_) => true,
        });
    }

    /// Counts entries as the file lists them, so that they compare with what its writer counted.
    fn count(&mut self) {
        let kept =
            |kind| self.objects.iter().filter(|((k, _), row)| *k == kind && row.object.is_some()).count();
        let held =
            |app: bool| self.edges.iter().filter(|(c, ..)| matches!(c, Container::App(_)) == app).count();
        self.tally.users.read = kept(Kind::User);
        self.tally.groups.read = kept(Kind::Group);
        self.tally.assignments.read = held(true);
        self.tally.memberships.read = held(false);
        let classes = [
            ("users", self.tally.users),
            ("groups", self.tally.groups),
            ("assignments", self.tally.assignments),
            ("memberships", self.tally.memberships),
        ];
        for (name, count) in classes {
            if let (true, Some(declared)) = (count.differs(), count.declared) {
                self.notes.insert(
                    0,
                    format!(
                        "counts.{name} says {declared}, but {} were read: nothing is removed for being absent until they agree",
                        count.read
                    ),
                );
            }
        }
    }
}

const REFERENCE: &str = "a principal is written `user:ID` or `group:ID`";

/// A collection that the file does not speak of is not covered. Members count as whole only where every group is.
fn covered(form: &Form<'_>, tally: Tally) -> Vec<(Collection, Coverage)> {
    let mut covered = Vec::new();
    if form.users.is_some() {
        covered.push((Collection::Users, tally.users.coverage()));
    }
    if form.groups.is_some() {
        let groups = tally.groups.coverage();
        let members = if groups == Coverage::Full { tally.memberships.coverage() } else { Coverage::Partial };
        covered.push((Collection::Groups, groups));
        covered.push((Collection::AllMembers, members));
    }
    for app in form.apps.iter().flat_map(|apps| apps.keys()) {
        covered.push((Collection::Assignments(SourceId(app.clone())), tally.assignments.coverage()));
    }
    covered
}

fn row<T: serde::de::DeserializeOwned>(raw: &RawValue) -> Result<T, String> {
    // serde would take a list for the fields in their order, and count it as somebody.
    if !raw.get().starts_with('{') {
        return Err("a row is an object, `{…}`; docs/file-source.md shows it".to_owned());
    }
    serde_json::from_str(raw.get()).map_err(|error| form::fault(&error))
}

fn named(id: &str) -> Result<SourceId, String> {
    if id.trim().is_empty() {
        return Err("its `id` is empty; an id is what stays when everything else changes".to_owned());
    }
    Ok(SourceId(id.to_owned()))
}

/// The line on which a row begins; the row is a slice of the text.
fn line_of(text: &str, raw: &RawValue) -> usize {
    let offset = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn shortened(mut notes: Vec<String>) -> Vec<String> {
    let more = notes.len().saturating_sub(NOTES_MAX);
    notes.truncate(NOTES_MAX);
    if more > 0 {
        notes.push(format!("and {more} more of these"));
    }
    notes
}
