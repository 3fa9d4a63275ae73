//! What a strict service holds: users and groups in memory, and the rules about them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rosterd::scim::Kind;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::filter;
use super::members;
use super::patch;
use super::refusal::Done;
use super::refusal::Refusal;
use super::row::Deletion;
use super::row::Ids;
use super::row::Inactive;
use super::row::Kept;
use super::row::Row;

/// The resources of one service.
pub struct Directory {
    row: Row,
    users: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    /// Of each group, in order; somebody may be there twice.
    members: BTreeMap<String, Vec<String>>,
    /// Deactivated, and shown to nobody.
    hidden: BTreeSet<String>,
    made: u64,
}

impl Directory {
    pub fn new(row: Row) -> Directory {
        let (users, groups, members) = Default::default();
        Directory { row, users, groups, members, hidden: BTreeSet::new(), made: 0 }
    }

    pub fn kept(&self, kind: Kind) -> &Kept {
        match kind {
            Kind::User => &self.row.users,
            Kind::Group => &self.row.groups,
        }
    }

    fn of(&mut self, kind: Kind) -> &mut BTreeMap<String, Value> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }

    /// Whoever is shown, by id.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = (&String, &Value)> {
        let of = match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        };
        of.iter().filter(|(id, _)| !self.hidden.contains(*id))
    }

    pub fn members_of(&self, group: &str) -> &[String] {
        self.members.get(group).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn find(&self, kind: Kind, id: &str) -> Done<&Value> {
        self.all(kind).find(|(known, _)| *known == id).map(|(_, body)| body).ok_or_else(Refusal::not_found)
    }

    pub fn create(&mut self, kind: Kind, body: &Value) -> Done<String> {
        let mut body = self.taken(kind, body)?;
        let named = body.remove("members");
        let body = Value::Object(body);
        self.check(kind, None, &body)?;
        self.made += 1;
        let id = match (self.row.ids, kind) {
            (Ids::Opaque, Kind::User) => format!("5f{:06x}", self.made),
            (Ids::Opaque, Kind::Group) => format!("9a{:06x}", self.made),
            (Ids::Names, _) => body[name_of(kind)].as_str().unwrap_or_default().to_owned(),
        };
        if let Some(named) = named {
            let ids = members::ids(&named)?;
            let members = self.joined(Vec::new(), ids)?;
            self.members.insert(id.clone(), members);
        }
        self.of(kind).insert(id.clone(), body);
        Ok(id)
    }

    pub fn replace(&mut self, kind: Kind, id: &str, body: &Value) -> Done<String> {
        self.find(kind, id)?;
        let mut body = self.taken(kind, body)?;
        let named = body.remove("members");
        let body = Value::Object(body);
        self.check(kind, Some(id), &body)?;
        if kind == Kind::Group {
            // Members that are left out are removed.
            let ids = named.as_ref().map(members::ids).transpose()?.unwrap_or_default();
            let members = self.joined(Vec::new(), ids)?;
            self.members.insert(id.to_owned(), members);
        }
        Ok(self.store(kind, id, body))
    }

    /// All operations, or none.
    pub fn patch(&mut self, kind: Kind, id: &str, message: &Value) -> Done<String> {
        let mut body = self.find(kind, id)?.clone();
        let mut list = self.members_of(id).to_vec();
        let mut named = 0;
        for operation in patch::operations(message)? {
            match members::change(operation).filter(|_| kind == Kind::Group) {
                Some(change) => {
                    let change = change?;
                    named += change.named();
                    list = self.changed(list, change)?;
                }
                None => patch::apply(&mut body, operation, self.row.value_paths)?,
            }
        }
        if named > self.row.members.most {
            let why = format!("more than {} members", self.row.members.most);
            return Err(Refusal::new(400, &why, &format!("{named} members in one request")));
        }
        let body = Value::Object(self.taken(kind, &body)?);
        if body.get("members").is_some() {
            return Err(Refusal::invalid_value("members without a path"));
        }
        self.check(kind, Some(id), &body)?;
        if kind == Kind::Group {
            self.members.insert(id.to_owned(), list);
        }
        Ok(self.store(kind, id, body))
    }

    pub fn delete(&mut self, kind: Kind, id: &str) -> Done<()> {
        self.find(kind, id)?;
        match self.row.deletion {
            Deletion::Deletes => self.forget(kind, id),
            _ if kind == Kind::Group => self.forget(kind, id),
            Deletion::Deactivates => {
                self.users.entry(id.to_owned()).and_modify(|body| body["active"] = json!(false));
            }
            Deletion::DeactivatesAndHides => {
                self.hidden.insert(id.to_owned());
                self.leave_groups(id);
            }
        }
        Ok(())
    }

    /// A resource as the service shows it.
    pub fn shown(&self, kind: Kind, id: &str, base: &str) -> Value {
        let mut body = match kind {
            Kind::User => self.users.get(id).cloned(),
            Kind::Group => self.groups.get(id).cloned(),
        }
        .unwrap_or_else(|| json!({"active": false}));
        body["id"] = json!(id);
        body["meta"] = json!({"location": format!("{base}{}/{id}", kind.endpoint())});
        if kind == Kind::Group {
            let shown = if self.row.members.shown { self.members_of(id) } else { &[] };
            body["members"] = shown.iter().map(|id| json!({"value": id, "type": "User"})).collect();
        }
        body
    }

    /// Whether a filter admits it: its own attributes, and who is in which group.
    pub fn admits(&self, kind: Kind, id: &str, body: &Value, filter: &filter::Filter) -> bool {
        let mut asked = body.clone();
        asked["id"] = json!(id);
        let related = |id: &String| json!({"value": id});
        match kind {
            Kind::Group => asked["members"] = self.members_of(id).iter().map(related).collect(),
            Kind::User => {
                let groups = self.members.iter().filter(|(_, of)| of.iter().any(|member| member == id));
                asked["groups"] = groups.map(|(group, _)| related(group)).collect();
            }
        }
        filter.admits(&asked, self.row.filters.case_sensitive)
    }

    // Rules ---------------------------------------------------------------------------------------------

    /// What the service takes of a body: read-only members are ignored, what it does not keep is dropped.
    fn taken(&self, kind: Kind, body: &Value) -> Done<Map<String, Value>> {
        let kept = self.kept(kind);
        let body = body.as_object().ok_or_else(|| Refusal::invalid_value("body that is no object"))?;
        let mut taken = Map::new();
        for (name, value) in body {
            if kept.refused.iter().any(|refused| refused.eq_ignore_ascii_case(name)) {
                return Err(Refusal::invalid_value(&format!("attribute {name}")));
            }
            let dropped = kept.only.is_some_and(|only| !only.contains(&name.as_str()));
            if !dropped && !["id", "meta", "groups", "schemas"].contains(&name.as_str()) {
                taken.insert(name.clone(), value.clone());
            }
        }
        Ok(taken)
    }

    fn check(&self, kind: Kind, id: Option<&str>, body: &Value) -> Done<()> {
        let kept = self.kept(kind);
        for path in kept.required {
            let there = filter::values(body, path).iter().any(|value| !value.is_null() && **value != "");
            if !there {
                return Err(Refusal::invalid_value(&format!("without {path}")));
            }
        }
        for list in kept.single {
            if filter::member(body, list).and_then(Value::as_array).is_some_and(|list| list.len() > 1) {
                return Err(Refusal::invalid_value(&format!("two {list}")));
            }
        }
        if body.get("active").is_some_and(|active| !active.is_boolean()) {
            return Err(Refusal::invalid_value("active that is no boolean"));
        }
        mail_rules(kept, body)?;
        self.unique(kind, id, body)
    }

    fn unique(&self, kind: Kind, id: Option<&str>, body: &Value) -> Done<()> {
        let name = |body: &Value| body[name_of(kind)].as_str().map(str::to_lowercase);
        let taken =
            self.all(kind).any(|(other, held)| Some(other.as_str()) != id && name(held) == name(body));
        if taken {
            return Err(Refusal::new(409, "name that is taken", "somebody has it").of_kind("uniqueness"));
        }
        Ok(())
    }

    fn changed(&self, mut list: Vec<String>, change: members::Change) -> Done<Vec<String>> {
        let rules = self.row.members;
        match change {
            members::Change::Add(ids) => self.joined(list, ids),
            members::Change::Remove(id) => {
                let before = list.len();
                list.retain(|member| *member != id);
                match list.len() == before {
                    true => Err(Refusal::new(400, "member that is none", "nobody").of_kind("noTarget")),
                    false => Ok(list),
                }
            }
            members::Change::RemoveListed(ids) if rules.listed == super::row::Listed::RemovesThese => {
                list.retain(|member| !ids.contains(member));
                Ok(list)
            }
            _ if !rules.whole => Err(Refusal::invalid_value("replacing or clearing all members")),
            members::Change::Replace(ids) => self.joined(Vec::new(), ids),
            members::Change::RemoveListed(_) | members::Change::Clear => Ok(Vec::new()),
        }
    }

    fn joined(&self, mut list: Vec<String>, ids: Vec<String>) -> Done<Vec<String>> {
        if ids.len() > self.row.members.most {
            let why = format!("more than {} members", self.row.members.most);
            return Err(Refusal::new(400, &why, &why));
        }
        for id in ids {
            if !self.users.contains_key(&id) || self.hidden.contains(&id) {
                return Err(Refusal::invalid_value("member who is not there"));
            }
            if self.row.members.twice || !list.contains(&id) {
                list.push(id);
            }
        }
        if list.len() > self.row.members.all {
            return Err(Refusal::invalid_value("group that is too large"));
        }
        Ok(list)
    }

    /// Keeps a changed resource, under a new id where its name is its id.
    fn store(&mut self, kind: Kind, id: &str, body: Value) -> String {
        let gone = body["active"] == json!(false) && self.row.inactive == Inactive::IsGone;
        let next = match self.row.ids {
            Ids::Opaque => id.to_owned(),
            Ids::Names => body[name_of(kind)].as_str().unwrap_or_default().to_owned(),
        };
        self.of(kind).remove(id);
        if gone {
            self.leave_groups(id);
            return next;
        }
        self.of(kind).insert(next.clone(), body);
        if next != id {
            self.renamed(id, &next);
        }
        next
    }

    fn renamed(&mut self, id: &str, next: &str) {
        if let Some(members) = self.members.remove(id) {
            self.members.insert(next.to_owned(), members);
        }
        for member in self.members.values_mut().flatten().filter(|member| *member == id) {
            next.clone_into(member);
        }
    }

    fn forget(&mut self, kind: Kind, id: &str) {
        self.of(kind).remove(id);
        self.members.remove(id);
        self.leave_groups(id);
    }

    fn leave_groups(&mut self, id: &str) {
        self.members.values_mut().for_each(|members| members.retain(|member| member != id));
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    }
}

fn mail_rules(kept: &Kept, body: &Value) -> Done<()> {
    let mails = filter::values(body, "emails[type eq \"work\"].value");
    if kept.name_is_mail && mails.iter().any(|mail| **mail != body["userName"]) {
        return Err(Refusal::invalid_value("userName that is not the e-mail"));
    }
    let verified = |mail: &&Value| {
        let domain = mail.as_str().and_then(|mail| mail.rsplit_once('@')).map_or("", |(_, domain)| domain);
        kept.domains.is_empty() || kept.domains.contains(&domain)
    };
    match mails.iter().all(verified) {
        true => Ok(()),
        false => Err(Refusal::invalid_value("mail domain that was not verified")),
    }
}
