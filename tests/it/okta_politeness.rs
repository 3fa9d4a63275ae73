//! How the Okta source spends an org's allowances: never into a 429 on a schedule, patient where one comes, and tired
//! of an org that is not well. Clocks run only where nothing else does, so a minute takes a moment.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::model::Reading;
use rosterd::model::Watermarks;
use rosterd::simulators::OrgKind;
use rosterd::simulators::Route;
use rosterd::simulators::World;
use rosterd::sources::Source;
use rosterd::sources::okta::OktaSource;
use rosterd::sources::okta::PageSizes;
use rosterd::sources::okta::Share;
use serde_json::json;

use super::okta_org::Org;
use super::okta_org::Reply;
use super::okta_org::pull;
use super::okta_simulated::Simulation;
use super::okta_simulated::token;

/// Real time without a new request after which everybody waits for a clock.
const STILL: Duration = Duration::from_millis(25);

/// Runs on a paused clock that goes on by a second whenever nothing happens; the simulated org's clock goes along. The
/// runtime never idles, or it would let the clock jump over time-outs.
async fn at_once<T>(world: Option<&World>, work: impl Future<Output = T>) -> T {
    let asked = || world.map_or(0, |world| world.counters().total());
    let clock = async {
        let (mut seen, mut since) = (asked(), std::time::Instant::now());
        loop {
            tokio::task::yield_now().await;
            if asked() != seen {
                (seen, since) = (asked(), std::time::Instant::now());
            } else if since.elapsed() >= STILL {
                since = std::time::Instant::now();
                on(world, Duration::from_secs(1)).await;
            }
        }
    };
    tokio::select! {
        done = work => done,
        () = clock => unreachable!("a clock has no end"),
    }
}

/// Both clocks, by so much.
async fn on(world: Option<&World>, time: Duration) {
    if let Some(world) = world {
        world.set_clock(world.now() + SignedDuration::try_from(time).expect("a short time"));
    }
    tokio::time::advance(time).await;
}

fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().expect("a time")
}

/// Requests of each kind in one cycle, and the people who were shown.
async fn cycle(org: &Simulation, source: &OktaSource, marks: &mut Watermarks) -> (Vec<u64>, u64) {
    org.world.reset_counters();
    let reads = source.reads(marks, Reading::Incremental, org.world.now());
    let pulled = at_once(Some(&org.world), pull(source, reads)).await.expect("whole");
    let shown = pulled.short();
    let people =
        shown.lines().filter(|line| line.starts_with("app ") && line.contains(" > user ")).count() as u64;
    marks.extend(pulled.watermarks);
    let counters = org.world.counters();
    let kinds = [Route::App, Route::AppUsers, Route::AppGroups, Route::Members];
    (kinds.map(|route| counters.of(route)).to_vec(), people)
}

/// A request that met a 429 would be sent twice, and the numbers would be larger. Okta's defaults for a token: half of
/// each bucket is shown, and half of that is used.
#[tokio::test(start_paused = true)]
async fn a_default_token_never_meets_a_429_on_a_schedule_of_40_minutes() {
    // Requests a minute that are ours, for lists of the application and for groups.
    for (kind, users, groups, apps_share, groups_share) in
        [(OrgKind::Workforce, 100, 520, 25, 125), (OrgKind::Integrator, 40, 120, 5, 25)]
    {
        let pages = PageSizes { app_users: 5, ..PageSizes::default() };
        let org = Simulation::start(users, groups, start()).await;
        org.world.set_clock(start());
        org.knobs(|knobs| knobs.org_kind = Some(kind));
        let mut settings = org.settings(token()).with_page_sizes(pages).expect("good sizes");
        settings.system_log = false;
        settings.member_reread = Duration::from_secs(365 * 24 * 3600);
        let source = OktaSource::new(settings).expect("a source");
        let teams = org.world.snapshot().teams().count() as u64;
        let mut marks = Watermarks::new();
        let begin = org.world.now();
        let (first, people) = cycle(&org, &source, &mut marks).await;
        let took = org.world.now().duration_since(begin).as_secs();
        assert_eq!(first[2..], [teams.div_ceil(200).max(1), teams], "{kind:?}: each page once");
        assert_eq!((first[0], first[1]), (1, people.div_ceil(5)), "{kind:?}: each page once");
        let windows = |requests: u64, share: u64| (requests - 1) / share;
        let waited = windows(first[1] + first[2], apps_share) + windows(teams, groups_share);
        assert!(waited > 0, "{kind:?}: so small an org proves nothing ({teams} groups)");
        let expected = waited as i64 * 60 - 30..=waited as i64 * 70 + 60;
        assert!(expected.contains(&took), "{kind:?}: the first cycle took {took} s, of {expected:?}");
        for round in 0..3 {
            on(Some(&org.world), Duration::from_secs(40 * 60)).await;
            let (quiet, _) = cycle(&org, &source, &mut marks).await;
            assert_eq!(quiet[..3], first[..3], "{kind:?}, cycle {round}: each page once");
        }
    }
}

/// The counterpart: somebody else has used the bucket up, so the first request is refused. It waits for the org's reset,
/// and everything is read all the same.
#[tokio::test(start_paused = true)]
async fn an_allowance_that_others_have_used_up_is_waited_for() {
    let org = Simulation::start(40, 4, start()).await;
    org.world.set_clock(start());
    org.knobs(|knobs| knobs.org_kind = Some(OrgKind::Workforce));
    let pages = PageSizes { app_users: 1, ..PageSizes::default() };
    let mut others = org.settings(token()).with_page_sizes(pages).expect("good sizes");
    others.rate_share = Share::percent(100).expect("a share");
    let others = OktaSource::new(others).expect("a source");
    let reads = |source: &OktaSource| source.reads(&Watermarks::new(), Reading::Full, start());
    at_once(Some(&org.world), pull(&others, reads(&others))).await.expect("whole");
    assert!(org.world.counters().of(Route::AppUsers) > 30);

    org.knobs(|knobs| knobs.token_share_percent = 30);
    org.world.reset_counters();
    let begin = org.world.now();
    let ours = org.source(token());
    at_once(Some(&org.world), pull(&ours, reads(&ours))).await.expect("whole");
    let took = org.world.now().duration_since(begin).as_secs();
    assert!((30..=80).contains(&took), "{took} s");
    let sent = [Route::AppUsers, Route::AppGroups].map(|route| org.world.counters().of(route));
    assert_eq!(sent, [2, 1], "refused once, and then not again");
}

#[tokio::test(start_paused = true)]
async fn a_full_org_is_left_alone_for_a_moment_and_told_what_is_repeated() {
    let org = Org::start().await;
    let app = "/api/v1/apps/0oa1";
    let full = Reply::error(429, "E0000047")
        .header("x-rate-limit-limit", "0")
        .header("x-rate-limit-remaining", "0")
        .header("x-rate-limit-reset", "99999999999")
        .header("x-okta-request-id", "first-one");
    let again = Reply::error(503, "E0000010").header("x-okta-request-id", "second-one");
    org.tell_in_turn(app, [full, again, Reply::error(404, "E0000007")]);
    let source = org.source("0oa1");
    let begin = tokio::time::Instant::now();
    at_once(None, source.check()).await;
    let took = begin.elapsed().as_secs();
    assert!((1..=10).contains(&took), "1 to 5 seconds at random, not until the reset: {took} s");
    assert_eq!(org.heard("x-okta-retry-for")[..3], ["", "first-one", "first-one"]);
    assert_eq!(org.heard("x-okta-retry-count")[..3], ["", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_429_is_waited_out_until_its_reset_by_the_orgs_clock_and_five_minutes_at_most() {
    for (reset, expected) in [("1772438440", 41..=52), ("1772499999", 300..=305)] {
        let org = Org::start().await;
        let refused = Reply::error(429, "E0000047")
            .header("date", "Mon, 02 Mar 2026 08:00:00 GMT")
            .header("x-rate-limit-limit", "50")
            .header("x-rate-limit-remaining", "0")
            .header("x-rate-limit-reset", reset);
        org.tell_in_turn("/api/v1/apps/0oa1", [refused, Reply::error(404, "E0000007")]);
        let begin = tokio::time::Instant::now();
        let source = org.source("0oa1");
        at_once(None, source.check()).await;
        let took = begin.elapsed().as_secs();
        assert!(expected.contains(&took), "{took} s");
    }
}

fn active() -> Reply {
    Reply::ok(json!({"id": "0oa1", "label": "Acme", "status": "ACTIVE"}))
}

#[tokio::test]
async fn a_size_that_was_too_heavy_is_not_tried_again_in_the_same_run() {
    let org = Org::start().await;
    org.tell("/api/v1/apps/0oa1", active());
    org.tell("/api/v1/apps/0oa1/users?limit=500&expand=user", Reply::ok(json!([])));
    let group = |id: &str| json!({"id": id, "_embedded": {"group": {"id": id, "profile": {"name": id}}}});
    org.tell(
        "/api/v1/apps/0oa1/groups?limit=200&expand=group",
        Reply::ok(json!([group("00g1"), group("00g2")])),
    );
    org.tell("/api/v1/groups/00g1/users?limit=1000", Reply::error(504, ""));
    org.tell("/api/v1/groups/00g1/users?limit=200", Reply::error(500, "E0000009"));
    for id in ["00g1", "00g2"] {
        org.tell(&format!("/api/v1/groups/{id}/users?limit=100"), Reply::ok(json!([])));
    }
    let sizes = PageSizes { members: 1000, ..PageSizes::default() };
    let source =
        OktaSource::new(org.settings("0oa1").with_page_sizes(sizes).expect("sizes")).expect("a source");
    let members = |org: &Org| {
        org.asked().into_iter().filter(|target| target.contains("/users?limit=")).collect::<Vec<_>>()
    };
    let lowered = [
        "/api/v1/groups/00g1/users?limit=1000",
        "/api/v1/groups/00g1/users?limit=200",
        "/api/v1/groups/00g1/users?limit=100",
    ];
    for run in 1..=2 {
        pull(&source, source.reads(&Watermarks::new(), Reading::Full, start())).await.expect("whole");
        let asked = members(&org);
        assert_eq!(
            asked[asked.len() - 4..asked.len() - 1],
            lowered,
            "run {run} begins with the size of the settings"
        );
        assert_eq!(
            asked[asked.len() - 1],
            "/api/v1/groups/00g2/users?limit=100",
            "and remembers what it learned"
        );
    }
}

#[tokio::test]
async fn repeats_are_bounded_for_a_request_and_for_a_run() {
    let org = Org::start().await;
    org.tell("/api/v1/apps/0oa1", Reply::error(503, "E0000010"));
    let source = org.source("0oa1");
    let told = |error: rosterd::sources::SourceError| {
        error.to_string().replace(org.host.trim_start_matches("http://"), "HOST")
    };
    let error =
        pull(&source, source.reads(&Watermarks::new(), Reading::Full, start())).await.expect_err("down");
    assert_eq!(told(error), "GET HOST/api/v1/apps/0oa1: still status 503 after 5 attempts");
    assert_eq!(org.asked().len(), 5);

    let mut settings = org.settings("0oa1");
    settings.repeats_max = 2;
    let source = OktaSource::new(settings).expect("a source");
    let error =
        pull(&source, source.reads(&Watermarks::new(), Reading::Full, start())).await.expect_err("down");
    assert_eq!(
        told(error),
        "GET HOST/api/v1/apps/0oa1: status 503, and the 2 repeats of one cycle are used up; the next cycle tries again (setting source.okta.repeats_max)"
    );
    // The next run has its own.
    let before = org.asked().len();
    pull(&source, source.reads(&Watermarks::new(), Reading::Full, start())).await.expect_err("down");
    assert_eq!(org.asked().len() - before, 3);
}
