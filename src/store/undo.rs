//! Undoing a cycle: what it wrote is read from the journal, and what puts it back is laid over what the rules say.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;

use super::Chosen;
use super::Decider;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::decisions::Decision;
use super::decisions::decided as record;
use super::overrides;
use super::overrides::Known;
use super::overrides::Names;
use super::overrides::known;
use super::overrides::pend;
use super::promote::OBJECT;
use super::values::json;
use super::values::parsed;
use super::values::parsed_or_none;
use super::values::word;
use crate::model::Applied;
use crate::model::LinkId;
use crate::plan;
use crate::plan::Cause;
use crate::plan::Class;
use crate::plan::Edit;
use crate::plan::Inverse;
use crate::plan::Mapping;
use crate::plan::MemberWrites;
use crate::plan::Override;
use crate::plan::Remarks;
use crate::plan::UndoCurrent;
use crate::plan::UndoMembership;
use crate::plan::Writes;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::fold;

/// What is to be undone.
#[derive(Clone)]
pub struct UndoWish {
    pub cycle: i64,
    pub what: Chosen,
    /// So long it lasts, in seconds since 1970.
    pub until_second: i64,
    pub by: Decider,
    pub users: Mapping,
    pub groups: Mapping,
}

/// What was laid over the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laid {
    /// The cycle is one of the job.
    pub known: bool,
    /// What of the cycle's writes is meant by WHAT.
    pub found: u64,
    /// People and teams that are put back by themselves.
    pub links: BTreeSet<LinkId>,
    /// Of these, accounts that are made inactive again when they have their values back.
    pub twice: BTreeSet<LinkId>,
    /// People, teams and memberships.
    pub objects: u64,
    /// Names that nothing that the cycle wrote has.
    pub unknown: BTreeSet<String>,
    pub remarks: Remarks,
}

impl Store {
    /// Decides that what a cycle wrote is to be as it was before it, until then: nothing but that is pending of these objects
    /// afterwards, and the next cycle decides them again, with the rules below.
    pub async fn lay_undo(&self, job: JobId, wish: UndoWish) -> Result<Laid, StoreError> {
        self.write(move |tx| lay(tx, job, &wish)).await
    }

    /// The same of accounts that have their values back and are not inactive yet.
    pub async fn lay_undo_again(&self, job: JobId, links: BTreeSet<LinkId>) -> Result<(), StoreError> {
        self.write(move |tx| {
            for link in links {
                let (Some(is), Some(over)) = (known(tx, job, link)?, overrides::lasting(tx, job, link)?)
                else {
                    continue;
                };
                pend(tx, job, link, &is, &over)?;
            }
            Ok(())
        })
        .await
    }
}

fn lay(tx: &Transaction<'_>, job: JobId, wish: &UndoWish) -> Sql<Laid> {
    let known = tx
        .prepare_cached("SELECT 1 FROM cycles WHERE id = ?1 AND job = ?2")?
        .exists(params![wish.cycle, job.0])?;
    let mut laying = Laying {
        tx,
        job,
        wish,
        cause: Cause::of_undo(wish.cycle),
        laid: Laid { known, ..Laid::default() },
        inactive: BTreeSet::new(),
        active: BTreeSet::new(),
    };
    if !known {
        return Ok(laying.laid);
    }
    tx.prepare_cached("INSERT INTO causes VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?.execute(params![
        job.0,
        laying.cause.id().0,
        json(&laying.cause)?
    ])?;
    let written = laying.read()?;
    for (link, writes) in &written.links {
        laying.link(*link, writes, written.last.get(link).copied().unwrap_or_default())?;
    }
    for ((team, person), writes) in &written.members {
        laying.member(*team, *person, *writes)?;
    }
    if laying.laid.objects > 0 {
        let what = format!("undo cycle {}: {} objects", wish.cycle, laying.laid.objects);
        let Decider { who, reason, now_second } = &wish.by;
        record(tx, job, &Decision { what: &what, who, reason, now_second: *now_second })?;
    }
    Ok(laying.laid)
}

/// What the cycle wrote, by what it was about.
#[derive(Default)]
struct Written {
    links: BTreeMap<LinkId, Writes>,
    /// The newest entry of each.
    last: BTreeMap<LinkId, i64>,
    members: BTreeMap<(LinkId, LinkId), MemberWrites>,
}

/// One entry of the journal.
struct Entry {
    id: i64,
    link: LinkId,
    class: Class,
    people: Vec<LinkId>,
    edits: Vec<Edit>,
    cause: Option<String>,
    outcome: Option<String>,
    created: bool,
}

struct Laying<'a> {
    tx: &'a Transaction<'a>,
    job: JobId,
    wish: &'a UndoWish,
    cause: Cause,
    laid: Laid,
    /// What is made inactive: its memberships follow.
    inactive: BTreeSet<LinkId>,
    active: BTreeSet<LinkId>,
}

impl Laying<'_> {
    fn read(&mut self) -> Sql<Written> {
        let (tx, wish) = (self.tx, self.wish);
        let named = match &wish.what {
            Chosen::All => [].as_slice(),
            Chosen::Named(name) => std::slice::from_ref(name),
            Chosen::Listed(names) => names.as_slice(),
        };
        let mut names = Vec::with_capacity(named.len());
        for name in named {
            names.push((name, overrides::called(tx, self.job, name)?));
        }
        let mut unknown: BTreeSet<&String> = named.iter().collect();
        let all = wish.what == Chosen::All;
        let mut written = Written::default();
        let mut rows = tx.prepare_cached(
            "SELECT g.id, g.link, g.class, g.people, g.edits, g.cause, g.outcome, l.origin IS 'created'
               FROM journal g JOIN links l ON l.id = g.link WHERE g.cycle = ?1 AND g.job = ?2 ORDER BY g.id",
        )?;
        let mut rows = rows.query(params![wish.cycle, self.job.0])?;
        while let Some(row) = rows.next()? {
            let mut entry = entry(row)?;
            if !all {
                let mut whole = false;
                let mut some = BTreeSet::new();
                for (name, links) in &names {
                    let by_itself = entry.cause.as_ref() == Some(name) || links.contains(&entry.link);
                    let people = entry.people.iter().filter(|person| links.contains(person));
                    let people: Vec<LinkId> = people.copied().collect();
                    if by_itself || !people.is_empty() {
                        unknown.remove(name);
                    }
                    whole |= by_itself;
                    some.extend(people);
                }
                match (whole, some.is_empty()) {
                    (true, _) => {}
                    (false, true) => continue,
                    (false, false) => entry.people.retain(|person| some.contains(person)),
                }
            }
            self.take(entry, &mut written)?;
        }
        self.laid.unknown = unknown.into_iter().cloned().collect();
        Ok(written)
    }

    fn take(&mut self, entry: Entry, written: &mut Written) -> Sql<()> {
        self.laid.found += entry.people.len().max(1) as u64;
        match entry.outcome.as_deref() {
            Some("done") => {}
            None => {
                let name = self.name(entry.link)?;
                self.remark("nobody knows yet whether it was written; the next cycle asks", &name);
                return Ok(());
            }
            Some(_) => return Ok(()),
        }
        let adds = match entry.class {
            Class::AddMembers => true,
            Class::RemoveMembers => false,
            class => {
                written.links.entry(entry.link).or_default().add(class, &entry.edits, entry.created);
                written.last.insert(entry.link, entry.id);
                return Ok(());
            }
        };
        if entry.people.is_empty() {
            let name = self.name(entry.link)?;
            self.remark("members that others had added to the team are not known to the job", &name);
        }
        for person in entry.people {
            let key = (entry.link, person);
            let known = written.members.entry(key).or_insert_with(|| MemberWrites::new(adds));
            known.add(adds);
        }
        Ok(())
    }

    fn link(&mut self, link: LinkId, writes: &Writes, last: i64) -> Sql<()> {
        let Some(is) = known(self.tx, self.job, link)? else { return Ok(()) };
        let another = self
            .tx
            .prepare_cached(
                "SELECT 1 FROM journal WHERE link = ?1 AND class = 'create' AND outcome = 'done' AND id > ?2",
            )?
            .exists(params![link.0, last])?;
        let refers = self.refers(link)?;
        let mapping = if is.kind == Kind::User { &self.wish.users } else { &self.wish.groups };
        let current = UndoCurrent { kind: is.kind, applied: &is.applied, another, mapping, refers: &refers };
        let (inverse, left) = plan::inverse(writes, &current);
        left.iter().for_each(|what| self.remark(what, &is.name));
        if inverse.is_empty() {
            return Ok(());
        }
        let over = self.over(&is, inverse)?;
        if over.active.is_none() && over.values.0.is_empty() && over.names.is_empty() {
            return Ok(());
        }
        self.keep(link, &over)?;
        self.laid.objects += 1;
        self.laid.links.insert(link);
        match over.active {
            Some(false) => self.inactive.insert(link),
            Some(true) => self.active.insert(link),
            None => false,
        };
        if over.active == Some(false) && !over.values.0.is_empty() && is.kind == Kind::User {
            self.laid.twice.insert(link);
            let what = "to know: it is inactive again when it has its values back, by the same command";
            self.laid.remarks.add(what, &is.name);
        }
        if over.active == Some(true) && self.lost_grants(&is.applied)? {
            let what = "to know: access grants that it lost have to be given again (rosterd workspace grants restore)";
            self.laid.remarks.add(what, &is.name);
        }
        if over.active == Some(false) && is.kind == Kind::Group {
            self.laid.remarks.add("to know: the team stays, without our members", &is.name);
        }
        self.refer(link, &over)?;
        if over.active.is_some() || !over.values.0.is_empty() {
            pend(self.tx, self.job, link, &is, &over)?;
        }
        Ok(())
    }

    /// With whom references named as source ids; who has no account any more is left out, and told.
    fn over(&mut self, is: &Known, inverse: Inverse) -> Sql<Override> {
        let mut names = Names::new();
        for (path, resource) in inverse.references {
            let Some(resource) = resource else {
                names.insert(path, None);
                continue;
            };
            let source: Option<String> = self
                .tx
                .prepare_cached("SELECT min(source_id) FROM links WHERE job = ?1 AND resource = ?2")?
                .query_row(params![self.job.0, resource], |row| row.get(0))?;
            match source {
                Some(source) => drop(names.insert(path, Some(source))),
                None => self.remark(&format!("whom {path} named has no account here any more"), &is.name),
            }
        }
        let (active, values, cause) = (inverse.active, inverse.values, self.cause.clone());
        Ok(Override { active, values, names, cause, ended: false })
    }

    /// What an earlier undo put back stays beside it.
    fn keep(&self, link: LinkId, over: &Override) -> Sql<()> {
        let (mut active, mut values, mut names) = (over.active, over.values.0.clone(), over.names.clone());
        if let Some(before) = overrides::lasting(self.tx, self.job, link)? {
            active = active.or(before.active);
            values = before.values.0.into_iter().chain(values).collect();
            names = before.names.into_iter().chain(names).collect();
        }
        self.insert(link, LinkId(0), active, &Attributes(values), &names)
    }

    fn insert(
        &self,
        link: LinkId,
        person: LinkId,
        active: Option<bool>,
        values: &Attributes,
        names: &Names,
    ) -> Sql<()> {
        let Decider { who, reason, now_second } = &self.wish.by;
        self.tx
            .prepare_cached(
                "INSERT OR REPLACE INTO overrides(job, link, person, active, vals, names, cause, cycle, who, reason, at, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                self.job.0,
                link.0,
                person.0,
                active,
                json(values)?,
                json(names)?,
                self.cause.id().0,
                self.wish.cycle,
                who,
                reason,
                now_second,
                self.wish.until_second,
            ])
            .map(drop)
    }

    /// Whom the person's attributes are to name from now on.
    fn refer(&self, link: LinkId, over: &Override) -> Sql<()> {
        for (path, names) in &over.names {
            self.tx
                .prepare_cached(
                    "UPDATE person_references SET names = ?4, name_key = ?5, clears = 1, cause = ?6, hold = NULL, attempts = 0,
                            failure = NULL, due_at = NULL,
                            resolved = (SELECT resource FROM links WHERE job = ?1 AND kind = 'user' AND source_id = ?4)
                      WHERE job = ?1 AND person = ?2 AND path = ?3",
                )?
                .execute(params![
                    self.job.0,
                    link.0,
                    path,
                    names,
                    names.as_deref().map(fold),
                    self.cause.id().0
                ])?;
        }
        Ok(())
    }

    fn member(&mut self, team: LinkId, person: LinkId, writes: MemberWrites) -> Sql<()> {
        // What is made inactive loses its memberships with that, and gets them back with it.
        if self.inactive.contains(&team) || self.inactive.contains(&person) {
            return Ok(());
        }
        let now = self
            .tx
            .prepare_cached(
                "SELECT coalesce((SELECT applied FROM team_edges WHERE team = ?1 AND person = ?2), 0),
                        t.resource IS NOT NULL AND p.resource IS NOT NULL, p.applied = 'active'
                   FROM links t JOIN links p ON p.id = ?2 WHERE t.id = ?1",
            )?
            .query_row(params![team.0, person.0], |row| {
                Ok(UndoMembership { applied: row.get(0)?, there: row.get(1)?, active: row.get(2)? })
            })
            .optional()?;
        let Some(now) = now else { return Ok(()) };
        let now = UndoMembership { active: now.active || self.active.contains(&person), ..now };
        match plan::member_inverse(writes, now) {
            Ok(None) => {}
            Ok(Some(member)) => {
                self.insert(team, person, Some(member), &Attributes::default(), &Names::new())?;
                if member {
                    self.fill_again(team)?;
                }
                self.tx
                    .prepare_cached("INSERT OR IGNORE INTO dirty_edges VALUES (?1, ?2, ?3)")?
                    .execute(params![self.job.0, team.0, person.0])?;
                self.laid.objects += 1;
            }
            Err(why) => {
                let name = self.name(person)?;
                self.remark(why, &name);
            }
        }
        Ok(())
    }

    /// A team that an earlier undo had emptied gets its members back, and whoever joins it meanwhile.
    fn fill_again(&self, team: LinkId) -> Sql<()> {
        let with = params![self.job.0, team.0];
        let sql = "UPDATE overrides SET active = NULL
            WHERE job = ?1 AND link = ?2 AND person = 0 AND active = 0 AND ended = 0";
        if self.tx.prepare_cached(sql)?.execute(with)? > 0 {
            let sql = "UPDATE links SET dirty = dirty | ?3 WHERE job = ?1 AND id = ?2";
            self.tx.prepare_cached(sql)?.execute(params![self.job.0, team.0, OBJECT])?;
            let sql = "DELETE FROM overrides WHERE job = ?1 AND link = ?2 AND person = 0 AND active IS NULL
                AND vals = '{}' AND names = '{}'";
            self.tx.prepare_cached(sql)?.execute(with)?;
        }
        Ok(())
    }

    fn remark(&mut self, what: &str, name: &str) {
        self.laid.remarks.add(format!("not undone: {what}"), name);
    }

    fn name(&self, link: LinkId) -> Sql<String> {
        Ok(known(self.tx, self.job, link)?.map(|is| is.name).unwrap_or_default())
    }

    fn refers(&self, link: LinkId) -> Sql<Names> {
        let mut rows =
            self.tx.prepare_cached("SELECT path, applied FROM person_references WHERE person = ?1")?;
        rows.query_map([link.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    fn lost_grants(&self, applied: &Applied) -> Sql<bool> {
        let Some(is) = applied.accepted() else { return Ok(false) };
        let sql = "SELECT 1 FROM losses x JOIN lost_grants g ON g.loss = x.id WHERE x.user = ?1 AND x.undone IS NULL";
        self.tx.prepare_cached(sql)?.exists([&is.resource.0])
    }
}

fn entry(row: &rusqlite::Row<'_>) -> Sql<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        link: LinkId(row.get(1)?),
        class: word(row, 2)?,
        people: parsed_or_none(row, 3)?.unwrap_or_default(),
        edits: parsed(row, 4)?,
        cause: row.get(5)?,
        outcome: row.get(6)?,
        created: row.get(7)?,
    })
}
