//! Lists of a strict service: filters, pages, and the query parameters around them.

use std::collections::BTreeMap;

use rosterd::scim::Kind;
use serde_json::Value;
use serde_json::json;

use super::directory::Directory;
use super::filter::Filter;
use super::refusal::Done;
use super::refusal::Refusal;
use super::row::Paging;
use super::row::Row;

/// The query of a request.
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub fn read(query: &str) -> Parameters {
        Parameters(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &str, default: usize) -> Done<usize> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Refusal::invalid_value(&format!("{name} that is none"))),
        }
    }

    pub fn check(&self, row: &Row) -> Done<()> {
        match row.parameters.refused.iter().find(|name| self.get(name).is_some()) {
            Some(name) => Err(Refusal::new(400, name, "this parameter is not supported")),
            None => Ok(()),
        }
    }

    /// Without what `excludedAttributes` names.
    pub fn projected(&self, mut body: Value) -> Value {
        for name in self.get("excludedAttributes").unwrap_or_default().split(',') {
            drop(body.as_object_mut().map(|body| body.remove(name.trim())));
        }
        body
    }
}

pub fn list(directory: &Directory, row: &Row, kind: Kind, asked: &Parameters) -> Done<Value> {
    asked.check(row)?;
    let filter = asked.get("filter").map(|text| allowed(row, kind, text)).transpose()?;
    if row.fake_user && kind == Kind::User && filter.is_none() {
        let nobody = json!({"id": "0", "userName": "fake", "active": true});
        return Ok(json!({"totalResults": 1, "startIndex": 1, "itemsPerPage": 1, "Resources": [nobody]}));
    }
    let ids: Vec<&String> = directory
        .all(kind)
        .filter(|(id, body)| filter.as_ref().is_none_or(|filter| directory.admits(kind, id, body, filter)))
        .map(|(id, _)| id)
        .collect();
    let page = page(row, asked, ids.len())?;
    let resources: Vec<Value> = ids[page.start..page.end]
        .iter()
        .map(|id| asked.projected(directory.shown(kind, id, row.base)))
        .collect();
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": ids.len(),
        "itemsPerPage": resources.len(),
        "startIndex": page.start + 1,
        "Resources": resources,
    });
    if let Some(next) = page.next {
        body["nextCursor"] = json!(next);
    }
    Ok(body)
}

/// The filter, where the service has everything that it asks for.
fn allowed(row: &Row, kind: Kind, text: &str) -> Done<Filter> {
    let filter = Filter::read(text)?;
    let refused = |what: &str| Refusal::new(400, &format!("filter: {what}"), "no").of_kind("invalidFilter");
    if let Some(operator) = filter.operators().iter().find(|op| !row.filters.operators.contains(&op.as_str()))
    {
        return Err(refused(operator));
    }
    let known = match kind {
        Kind::User => row.filters.users,
        Kind::Group => row.filters.groups,
    };
    match known.and_then(|known| filter.paths().into_iter().find(|path| !known.contains(&path.as_str()))) {
        Some(path) => Err(refused(&path)),
        None => Ok(filter),
    }
}

struct Page {
    start: usize,
    end: usize,
    next: Option<String>,
}

fn page(row: &Row, asked: &Parameters, total: usize) -> Done<Page> {
    let by_index = |size: usize| {
        let start = asked.number("startIndex", 1)?.saturating_sub(1).min(total);
        Ok(Page { start, end: (start + size).min(total), next: None })
    };
    match row.paging {
        Paging::Index { most } => by_index(asked.number("count", most)?.min(most)),
        Paging::Fixed { size } => by_index(size),
        Paging::Cursor { most, first } => {
            let count = asked.number("count", first)?;
            if !(1..=most).contains(&count) {
                return Err(Refusal::invalid_value(&format!("count outside of 1 to {most}")));
            }
            let Some(cursor) = asked.get("cursor") else {
                return Ok(Page { start: 0, end: count.min(first).min(total), next: None });
            };
            let start = match cursor {
                "" => 0,
                _ => cursor.strip_prefix("c-").and_then(|at| at.parse().ok()).unwrap_or(total),
            };
            let end = (start + count).min(total);
            Ok(Page { start: start.min(total), end, next: (end < total).then(|| format!("c-{end}")) })
        }
    }
}
