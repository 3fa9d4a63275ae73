//! The daily verification: everything is read anew behind the changes, what those had missed is repaired and counted.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::model::Finding;
use rosterd::model::Page;
use rosterd::model::Read;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::Vocabulary;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::plan::Class;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::sources::Source;
use rosterd::sources::SourceError;

use super::site::Site;
use super::site::acme;
use super::site::login;

/// A directory whose feeds and lists can be made to lie.
struct Shaky {
    inner: Arc<dyn Source>,
    reading: Mutex<Reading>,
    trouble: Mutex<Trouble>,
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// Changes of users and groups are not told (Graph reference, section 6.7).
    ChangesMissing,
    /// Full lists are refused.
    ListsDown,
    /// Full lists show nobody's new surname yet.
    ListsLag,
}

impl Shaky {
    fn over(site: &mut Site) -> Arc<Shaky> {
        let (reading, trouble) = (Mutex::new(Reading::Full), Mutex::new(Trouble::None));
        let shaky = Arc::new(Shaky { inner: site.source.clone(), reading, trouble });
        site.source = shaky.clone();
        shaky
    }

    fn set(&self, trouble: Trouble) {
        *self.trouble.lock().expect("free") = trouble;
    }
}

impl Source for Shaky {
    fn vocabulary(&self) -> Vocabulary {
        self.inner.vocabulary()
    }

    fn identity(&self) -> Option<String> {
        self.inner.identity()
    }

    fn reads(&self, watermarks: &Watermarks, reading: Reading, now: Timestamp) -> Vec<Read> {
        *self.reading.lock().expect("free") = reading;
        self.inner.reads(watermarks, reading, now)
    }

    fn page<'a>(&'a self, read: &'a Read) -> BoxFuture<'a, Result<Page, SourceError>> {
        async move {
            let full = *self.reading.lock().expect("free") == Reading::Full;
            let trouble = *self.trouble.lock().expect("free");
            if trouble == Trouble::ListsDown && full {
                return Err(SourceError::Unavailable { what: "the lists are down".to_owned() });
            }
            let mut page = self.inner.page(read).await?;
            match trouble {
                Trouble::ChangesMissing if !full && !read.name.starts_with("assignments") => {
                    page.records.clear()
                }
                Trouble::ListsLag if full => page.records.iter_mut().for_each(as_before),
                _ => {}
            }
            Ok(page)
        }
        .boxed()
    }

    fn witness<'a>(
        &'a self,
        questions: &'a [WitnessQuestion],
    ) -> BoxFuture<'a, Result<Vec<WitnessAnswer>, SourceError>> {
        self.inner.witness(questions)
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.inner.check()
    }

    fn requests(&self) -> u64 {
        self.inner.requests()
    }
}

fn as_before(record: &mut Record) {
    if let Record::Object(object) = record
        && object.attributes.contains_key("surname")
    {
        object.attributes.insert("surname".to_owned(), "Lee".into());
    }
}

fn marries(who: &str) -> Change {
    Change::Set { who: login(who), property: "surname".to_owned(), value: "Roe".into() }
}

async fn site() -> (Site, Arc<Shaky>) {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.verify = Some(Duration::from_secs(24 * 60 * 60));
    let shaky = Shaky::over(&mut site);
    site.cycle().await;
    (site, shaky)
}

#[tokio::test]
async fn what_the_changes_missed_is_found_a_day_later_and_counted() {
    let (mut site, shaky) = site().await;
    shaky.set(Trouble::ChangesMissing);
    site.change(marries("Ann"));
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Bo") });
    let cycle = site.cycle().await;
    assert_eq!((cycle.written(), cycle.verified, cycle.repaired), (0, false, 0), "nobody told of it");

    site.now += SignedDuration::from_hours(23);
    let cycle = site.cycle().await;
    assert!(cycle.verified && !cycle.full);
    assert_eq!(cycle.repaired, 2, "a surname and a membership");
    assert_eq!(
        cycle.done.get(&Class::Deactivate),
        Some(&1),
        "Bo left the only group that gave the application"
    );
    site.equals().await;

    let cycle = site.cycle().await;
    assert_eq!((cycle.verified, cycle.written()), (false, 0), "once a day");
}

#[tokio::test]
async fn a_verification_that_fails_takes_nothing_back_and_is_tried_again() {
    let (mut site, shaky) = site().await;
    shaky.set(Trouble::ListsDown);
    site.change(marries("Ann"));
    site.now += SignedDuration::from_hours(24);
    let cycle = site.cycle().await;
    assert_eq!((cycle.verified, cycle.written()), (false, 1), "the change goes on");
    let note = "not everything could be read anew; the next cycle tries again: the lists are down";
    assert_eq!(cycle.notes, [note]);
    site.equals().await;

    shaky.set(Trouble::None);
    let cycle = site.cycle().await;
    assert_eq!((cycle.verified, cycle.repaired, cycle.written()), (true, 0, 0));
}

#[tokio::test]
async fn a_list_that_lags_behind_does_not_take_back_what_a_change_has_said() {
    let (mut site, shaky) = site().await;
    site.change(marries("Ann"));
    shaky.set(Trouble::ListsLag);
    site.now += SignedDuration::from_hours(24);
    let cycle = site.cycle().await;
    assert!(cycle.verified);
    site.equals().await;
}

#[tokio::test]
async fn two_reads_of_one_cycle_that_fail_together_are_one_absence() {
    let (mut site, _) = site().await;
    site.now += SignedDuration::from_hours(24);
    // The list is empty, and nobody can be asked for the application: only a second complete read is left (P2).
    let fault = |route, trouble| Fault { route: Some(route), nth: 1, times: None, trouble };
    let away = rosterd::simulators::Trouble::Status { status: 503, retry_after: None };
    let empty = || {
        site.world.fault(fault(Route::Assignments, rosterd::simulators::Trouble::Empty));
        site.world.fault(fault(Route::App, away.clone()));
    };
    empty();
    let cycle = site.cycle().await;
    assert!(cycle.verified, "everything was read twice");
    assert_eq!(cycle.written(), 0, "{:?}", cycle.done);
    assert!(cycle.held > 0);

    site.world.clear_faults();
    let cycle = site.cycle().await;
    assert_eq!((cycle.written(), cycle.held), (0, 0), "nobody had lost anything");
    site.equals().await;
}
