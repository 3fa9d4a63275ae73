//! Account discovery: the whole target is listed, and each account and team is sorted by whose it is. It writes nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::CycleError;
use super::Run;
use super::chain;
use super::matching::name_path;
use crate::model::LinkId;
use crate::plan::Discovered;
use crate::plan::Discovery;
use crate::plan::Mapping;
use crate::plan::Whose;
use crate::scim;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::JobState;
use crate::store::Newcomer;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Listed;

const CHUNK: usize = 500;

pub(super) async fn discover(on: &Run<'_>, store: &Store, state: &JobState) -> Result<Discovery, CycleError> {
    let mut discovery = Discovery::default();
    for kind in Kind::ALL {
        let paths = paths(on.job.rules.mapping(kind));
        let index = Index::of(on, store, state, kind, &paths).await?;
        let mut looker = Looker {
            on,
            store,
            state,
            kind,
            paths,
            index,
            matched: BTreeMap::new(),
            named: BTreeMap::new(),
            discovery: &mut discovery,
        };
        let partial = looker.list().await?;
        looker.settle();
        discovery.partial.extend(partial.map(|partial| (kind, partial)));
    }
    Ok(discovery)
}

/// What the mapping matches by, the first first.
fn paths(mapping: &Mapping) -> Vec<String> {
    mapping.matching().iter().map(|row| row.target.to_string()).collect()
}

/// Who has which value, as hashes: a directory of any size in little memory. What it finds is looked at once more.
struct Index(Vec<(u64, LinkId)>);

impl Index {
    async fn of(
        on: &Run<'_>,
        store: &Store,
        state: &JobState,
        kind: Kind,
        paths: &[String],
    ) -> Result<Index, CycleError> {
        let (mut entries, mut after) = (Vec::new(), LinkId(0));
        loop {
            on.stopped()?;
            let chunk = store.newcomers(state.id, kind, after, CHUNK).await.map_err(on.store())?;
            let Some(last) = chunk.last() else { break };
            after = last.link;
            for newcomer in &chunk {
                let values = paths.iter().filter_map(|path| Some((path, wanted(newcomer, path)?)));
                entries.extend(values.map(|(path, value)| (hash(path, value), newcomer.link)));
            }
        }
        entries.sort_unstable();
        Ok(Index(entries))
    }

    fn find(&self, path: &str, value: &str) -> Vec<LinkId> {
        let hash = hash(path, value);
        let from = self.0.partition_point(|(is, _)| *is < hash);
        self.0.iter().skip(from).take_while(|(is, _)| *is == hash).map(|(_, link)| *link).collect()
    }
}

fn hash(path: &str, value: &str) -> u64 {
    let hash = blake3::hash(format!("{path}\0{}", scim::fold(value)).as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

fn wanted<'a>(newcomer: &'a Newcomer, path: &str) -> Option<&'a str> {
    newcomer.wanted.text(path).or_else(|| newcomer.on_create.attributes.text(path))
}

struct Looker<'a> {
    on: &'a Run<'a>,
    store: &'a Store,
    state: &'a JobState,
    kind: Kind,
    paths: Vec<String>,
    index: Index,
    /// Who was matched: how often, and where the first one stands among the examples.
    matched: BTreeMap<LinkId, (u64, Option<usize>)>,
    /// How many of each sort are among the examples.
    named: BTreeMap<Whose, u64>,
    discovery: &'a mut Discovery,
}

impl Looker<'_> {
    /// Why the list may not be whole.
    async fn list(&mut self) -> Result<Option<String>, CycleError> {
        let mut pieces = self.on.job.target.list(self.kind);
        loop {
            match self.on.until_stopped(pieces.try_next()).await? {
                Ok(Some(Listed::Page(page))) => {
                    for chunk in page.chunks(CHUNK) {
                        self.page(chunk).await?;
                    }
                }
                Ok(Some(Listed::End { partial })) => return Ok(partial),
                Ok(None) => return Ok(Some("it has no end".to_owned())),
                // A plan is worth having without it.
                Err(error) => return Ok(Some(chain(&error))),
            }
        }
    }

    async fn page(&mut self, page: &[Found]) -> Result<(), CycleError> {
        let ids: Vec<ResourceId> = page.iter().map(|found| found.id.clone()).collect();
        let job = self.state.id;
        let own = self.store.own_links(job, self.kind, ids.clone()).await.map_err(self.on.store())?;
        let target = self.on.job.target.identity();
        let others = self.store.resources_of_others(job, target, ids).await.map_err(self.on.store())?;
        let free = |found: &&Found| !own.contains_key(&found.id) && !others.contains_key(&found.id);
        let candidates: BTreeSet<LinkId> = page
            .iter()
            .filter(free)
            .flat_map(|found| self.paths.iter().filter_map(|path| Some((path, shown(found, path)?))))
            .flat_map(|(path, value)| self.index.find(path, &value))
            .collect();
        let newcomers = self.store.newcomers_by_id(candidates.into_iter().collect()).await;
        let newcomers: BTreeMap<LinkId, Newcomer> =
            newcomers.map_err(self.on.store())?.into_iter().map(|one| (one.link, one)).collect();
        for found in page {
            if own.contains_key(&found.id) {
                self.discovery.add(self.kind, Whose::Linked, 1);
            } else if let Some(job) = others.get(&found.id) {
                self.note(found, Whose::Other, format!("job {job}"));
            } else if let Some(owner) = found.bars.as_deref().map(owner) {
                self.note(found, Whose::Other, owner);
            } else {
                self.free(found, &newcomers);
            }
        }
        Ok(())
    }

    /// By the first attribute that finds anybody, as matching does.
    fn free(&mut self, found: &Found, newcomers: &BTreeMap<LinkId, Newcomer>) {
        for path in self.paths.clone() {
            let Some(value) = shown(found, &path) else { continue };
            let has = |newcomer: &&Newcomer| {
                let wanted = wanted(newcomer, &path).map(Value::from);
                wanted.is_some_and(|wanted| scim::same_value(&path, &wanted, &Value::from(value.as_str())))
            };
            let hits = self.index.find(&path, &value);
            let hits: Vec<&Newcomer> =
                hits.iter().filter_map(|link| newcomers.get(link)).filter(has).collect();
            match hits.as_slice() {
                [] => continue,
                [one] => return self.matches(found, one, &path),
                many => {
                    let detail = format!("by {path}: {} of the source have the value", many.len());
                    return self.note(found, Whose::Ambiguous, detail);
                }
            }
        }
        self.note(found, Whose::Local, String::new());
    }

    fn matches(&mut self, found: &Found, newcomer: &Newcomer, path: &str) {
        let detail = format!("by {path}: {}", newcomer.source);
        match self.matched.get(&newcomer.link).copied() {
            None => {
                let at = self.example(found, Whose::Adoptable, detail);
                self.matched.insert(newcomer.link, (1, at));
            }
            Some((count, first)) => {
                if let Some(first) = first.and_then(|at| self.discovery.resources.get_mut(at)) {
                    first.whose = Whose::Ambiguous;
                }
                self.example(found, Whose::Ambiguous, detail);
                self.matched.insert(newcomer.link, (count + 1, first));
            }
        }
    }

    fn note(&mut self, found: &Found, whose: Whose, detail: String) {
        self.discovery.add(self.kind, whose, 1);
        self.example(found, whose, detail);
    }

    /// Where it stands among the examples, if there is room for it.
    fn example(&mut self, found: &Found, whose: Whose, detail: String) -> Option<usize> {
        let named = self.named.entry(whose).or_default();
        if *named >= self.on.job.drift.discovered {
            return None;
        }
        *named += 1;
        let resources = &mut self.discovery.resources;
        let name = shown(found, name_path(self.kind)).unwrap_or_default();
        resources.push(Discovered { kind: self.kind, id: found.id.clone(), name, whose, detail });
        Some(resources.len() - 1)
    }

    /// Whom one account matches is adoptable; whom several match is not.
    fn settle(&mut self) {
        for (count, _) in std::mem::take(&mut self.matched).into_values() {
            let whose = if count == 1 { Whose::Adoptable } else { Whose::Ambiguous };
            self.discovery.add(self.kind, whose, count);
        }
    }
}

fn shown(found: &Found, path: &str) -> Option<String> {
    scim::shown(&found.body, [path]).text(path).map(str::to_owned)
}

/// `which TENANT owns; …` of a resource that is not to be taken over.
fn owner(bars: &str) -> String {
    let clause = bars.split(';').next().unwrap_or(bars).trim();
    clause.trim_start_matches("which ").trim_end_matches(" owns").to_owned()
}
