//! Our own connectors read the simulators: what they show is what the world says, before and after a day.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Grade;
use rosterd::model::Next;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_ID;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::Size;
use rosterd::simulators::TENANT;
use rosterd::simulators::World;
use rosterd::simulators::demo_day;
use rosterd::sources::Source;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use url::Url;

use super::Served;
use super::morning;
use super::own;

const TOWN: Size = Size { users: 300, groups: 12, memberships_per_user: 3 };

fn graph_source(served: &Served) -> GraphSource {
    let mut settings = GraphSettings::new(TENANT, CLIENT_ID, Secret::new(CLIENT_SECRET));
    settings.authority = Url::parse(&served.base).unwrap();
    settings.root = Url::parse(&served.base).unwrap();
    settings.app = Some(SourceId(own(GRAPH_APP_ID)));
    GraphSource::new(settings).unwrap()
}

fn okta_source(served: &Served) -> OktaSource {
    let settings = OktaSettings::new(&served.base, Secret::new(API_TOKEN), OKTA_APP_ID).unwrap();
    OktaSource::new(settings).unwrap()
}

/// What a cycle would keep: objects, edges, watermarks.
#[derive(Default)]
struct Seen {
    objects: BTreeMap<String, Standing>,
    names: BTreeMap<String, String>,
    edges: BTreeSet<(Container, String)>,
    watermarks: Watermarks,
}

impl Seen {
    async fn read(&mut self, source: &dyn Source, now: Timestamp) {
        let mut reads = source.reads(&self.watermarks, Reading::Incremental, now);
        while let Some(mut read) = reads.pop() {
            let mut shown = Vec::new();
            loop {
                let page = source.page(&read).await.unwrap();
                reads.extend(page.further);
                shown.extend(page.records);
                match page.next {
                    Next::Page(cursor) => read.cursor = cursor,
                    Next::End { covered, watermark } => {
                        self.settle(&covered, shown);
                        self.watermarks.extend(watermark.map(|text| (read.name.clone(), text)));
                        break;
                    }
                }
            }
        }
    }

    fn settle(&mut self, covered: &[(Collection, Coverage)], shown: Vec<Record>) {
        for (collection, coverage) in covered {
            if *coverage != Coverage::Full {
                continue;
            }
            match collection {
                Collection::Assignments(app) => {
                    self.edges.retain(|(held, _)| *held != Container::App(app.clone()))
                }
                Collection::Members(group) => {
                    self.edges.retain(|(held, _)| *held != Container::Group(group.clone()))
                }
                _ => {}
            }
        }
        for record in shown {
            match record {
                Record::Object(object) => {
                    let name = object.attributes.get("displayName").or(object.attributes.get("name"));
                    self.names.insert(
                        object.id.0.clone(),
                        name.and_then(|name| name.as_str()).unwrap_or_default().to_owned(),
                    );
                    self.objects.insert(object.id.0, object.standing);
                }
                Record::Removed { id, standing, .. } => {
                    self.objects.insert(id.0, standing);
                }
                Record::Edge { container, principal, .. } => {
                    self.edges.insert((container, principal.0));
                }
                Record::EdgeRemoved { container, principal, .. } => {
                    self.edges.remove(&(container, principal.0));
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    fn inside(&self, container: &Container) -> BTreeSet<String> {
        self.edges
            .iter()
            .filter(|(held, _)| held == container)
            .map(|(_, principal)| principal.clone())
            .collect()
    }

    /// Enabled and assigned; Graph leaves it to the client to look into the assigned groups.
    fn active(&self, app: &str) -> BTreeSet<String> {
        let mut assigned = self.inside(&Container::App(SourceId(own(app))));
        for group in assigned.clone().into_iter().filter(|_| app == GRAPH_APP_ID) {
            if self.objects.get(&group).is_none_or(|standing| *standing == Standing::Enabled) {
                assigned.extend(self.inside(&Container::Group(SourceId(group))));
            }
        }
        assigned.retain(|id| self.objects.get(id) == Some(&Standing::Enabled));
        assigned
    }

    fn check(&self, world: &World, app: &str) {
        let expected = world.snapshot();
        let mut active = self.active(app);
        active.retain(|id| !expected.groups.contains_key(id));
        let people: BTreeSet<String> = expected.people.keys().cloned().collect();
        let differing: BTreeMap<&String, Option<&Standing>> =
            active.symmetric_difference(&people).map(|id| (id, self.objects.get(id))).collect();
        assert_eq!(differing, BTreeMap::new());
        for (id, team) in expected.teams() {
            let mut members = self.inside(&Container::Group(SourceId(id.clone())));
            members.retain(|id| expected.people.contains_key(id));
            assert_eq!((&members, self.names.get(id)), (&team.members, Some(&team.name)), "{id}");
        }
    }
}

async fn before_and_after_a_day(served: &Served, source: &dyn Source, app: &str) {
    let mut seen = Seen::default();
    seen.read(source, served.world.now()).await;
    seen.check(&served.world, app);
    for (said, change) in demo_day(&served.world) {
        served.world.change(change).unwrap_or_else(|error| panic!("{said}: {error}"));
    }
    seen.read(source, served.world.now()).await;
    seen.check(&served.world, app);
}

#[tokio::test]
async fn the_graph_connector_sees_the_simulated_world_and_its_day() {
    let served = Served::graph(World::new(Flavour::Graph, TOWN, 11, morning())).await;
    before_and_after_a_day(&served, &graph_source(&served), GRAPH_APP_ID).await;
}

#[tokio::test]
async fn the_okta_connector_sees_the_simulated_world_and_its_day() {
    let served = Served::okta(World::new(Flavour::Okta, TOWN, 11, morning())).await;
    before_and_after_a_day(&served, &okta_source(&served), OKTA_APP_ID).await;
}

#[tokio::test]
async fn both_connectors_find_everything_in_order_and_their_witnesses_agree_with_the_world() {
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let world = World::new(flavour, TOWN, 11, morning());
        let (served, app) = match flavour {
            Flavour::Graph => (Served::graph(world).await, GRAPH_APP_ID),
            Flavour::Okta => (Served::okta(world).await, OKTA_APP_ID),
        };
        let source: Box<dyn Source> = match flavour {
            Flavour::Graph => Box::new(graph_source(&served)),
            Flavour::Okta => Box::new(okta_source(&served)),
        };
        let findings = source.check().await;
        // The service lives in a morning of its own.
        let mut others = findings.iter().filter(|finding| finding.subject != "clock");
        assert!(others.all(|finding| finding.grade != Grade::Error), "{findings:?}");

        let day = demo_day(&served.world);
        let unassigned = day.into_iter().find_map(|(_, change)| match change {
            Change::Unassign { principal } => Some(principal),
            _ => None,
        });
        let who = unassigned.unwrap();
        let held = WitnessQuestion::Held {
            container: Container::App(SourceId(own(app))),
            principal: SourceId(who.clone()),
            kind: Kind::User,
        };
        let ask = [held];
        assert_eq!(source.witness(&ask).await.unwrap(), [WitnessAnswer::Present]);
        served.world.change(Change::Unassign { principal: who }).unwrap();
        assert!(matches!(source.witness(&ask).await.unwrap()[..], [WitnessAnswer::Absent(_)]));
    }
}
