//! The simulated directories on the wire, against the shapes of the references graph.md and okta.md.

mod connectors;
mod control;
mod graph_access;
mod graph_delta;
mod graph_knobs;
mod graph_limits;
mod graph_reads;
mod graph_refusals;
mod graph_routes;
mod graph_sign_in;
mod okta;
mod okta_dpop;
mod okta_keys;
mod okta_log;
mod okta_org;
mod okta_pages;
mod okta_push;
mod okta_rates;
mod okta_sign_in;
mod okta_time;

use jiff::Timestamp;
use reqwest::Client;
use reqwest::Response;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::Size;
use rosterd::simulators::TENANT;
use rosterd::simulators::World;
use rosterd::simulators::serve;
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const SMALL: Size = Size { users: 60, groups: 9, memberships_per_user: 2 };

fn morning() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

/// A served world and a client that holds its credentials.
struct Served {
    world: World,
    base: String,
    http: Client,
    credentials: String,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Served {
    async fn graph(world: World) -> Served {
        let mut served = Served::of(world).await;
        let answer = served.token(&[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
        let body: Value = answer.json().await.unwrap();
        served.credentials = format!("Bearer {}", body["access_token"].as_str().unwrap());
        served.world.reset_counters();
        served
    }

    async fn okta(world: World) -> Served {
        let mut served = Served::of(world).await;
        served.credentials = format!("SSWS {API_TOKEN}");
        served
    }

    async fn of(world: World) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(serve(world.clone(), listener, stop.clone()));
        let http = Client::builder().no_proxy().build().unwrap();
        Served { world, base, http, credentials: String::new(), stop }
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Response {
        let mut form =
            vec![("grant_type", "client_credentials"), ("scope", "https://graph.microsoft.com/.default")];
        form.extend_from_slice(fields);
        self.http.post(format!("{}/{TENANT}/oauth2/v2.0/token", self.base)).form(&form).send().await.unwrap()
    }

    fn url(&self, target: &str) -> String {
        if target.starts_with("http") { target.to_owned() } else { format!("{}{target}", self.base) }
    }

    async fn send(&self, target: &str) -> reqwest::Result<Response> {
        self.http.get(self.url(target)).header("authorization", &self.credentials).send().await
    }

    async fn get(&self, target: &str) -> (u16, Value) {
        let answer = self.send(target).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn ok(&self, target: &str) -> Value {
        let (status, body) = self.get(target).await;
        assert_eq!(status, 200, "{target}: {body}");
        body
    }

    async fn post(&self, target: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(self.url(target)).header("authorization", &self.credentials).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Every row of a Graph listing, and where it ended: `@odata.deltaLink` or nothing.
    async fn rows(&self, target: &str) -> (Vec<Value>, Option<String>) {
        let (mut rows, mut next) = (Vec::new(), Some(target.to_owned()));
        while let Some(target) = next {
            let mut body = self.ok(&target).await;
            rows.extend(body["value"].as_array().unwrap().iter().cloned());
            next = body["@odata.nextLink"].as_str().map(str::to_owned);
            if let Value::String(link) = body["@odata.deltaLink"].take() {
                assert!(next.is_none(), "a page has one of the two links");
                return (rows, Some(link));
            }
        }
        (rows, None)
    }

    /// Every row of an Okta listing, by the `next` links.
    async fn pages(&self, target: &str) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), Some(target.to_owned()));
        while let Some(target) = next {
            let answer = self.send(&target).await.unwrap();
            assert_eq!(answer.status().as_u16(), 200, "{target}");
            next = link(&answer, "next");
            rows.extend(answer.json::<Vec<Value>>().await.unwrap());
        }
        rows
    }
}

fn link(answer: &Response, relation: &str) -> Option<String> {
    let lines = answer.headers().get_all("link").iter().map(|line| line.to_str().unwrap().to_owned());
    let wanted = format!("; rel=\"{relation}\"");
    lines
        .flat_map(|line| line.split(", ").map(str::to_owned).collect::<Vec<_>>())
        .find_map(|line| line.strip_suffix(&wanted).map(|url| url.trim_matches(['<', '>']).to_owned()))
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn row<'a>(rows: &'a [Value], id: &str) -> &'a Value {
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no row {id}"))
}

fn graph_with(people: &[&str], groups: &[&str]) -> World {
    let world = World::empty(Flavour::Graph, morning());
    fill(&world, people, groups);
    world
}

fn okta_with(people: &[&str], groups: &[&str]) -> World {
    let world = World::empty(Flavour::Okta, morning());
    fill(&world, people, groups);
    world
}

fn fill(world: &World, people: &[&str], groups: &[&str]) {
    for name in groups {
        world.change(Change::CreateGroup { name: (*name).to_owned(), id: None, assigned: false }).unwrap();
    }
    for login in people {
        let mut hire = Hire::assigned(login, "Ann", "Lee");
        hire.assigned = false;
        world.change(Change::Hire(hire)).unwrap();
    }
}

fn own(text: &str) -> String {
    text.to_owned()
}

fn join(world: &World, group: &str, member: &str) {
    world.change(Change::Join { group: own(group), member: own(member) }).unwrap();
}
