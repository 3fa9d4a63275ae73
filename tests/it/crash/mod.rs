//! `kill -9` at any point loses nothing and doubles nothing (P5): the real binary, killed and started again until it is done.
//!
//! `ROSTERD_TEST_KILLS=300` plays so many seeds; without it a few; `ROSTERD_TEST_SEED=17` plays one. A
//! seed says everything: the directory, the target, what happens in the company, and where or when the process is killed.

mod damage;
mod day;
mod far;
mod firm;
mod play;
#[cfg(debug_assertions)]
mod points;
mod proxy;
mod space;

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;

use self::play::Played;

/// Enough to have every kind of kill at both targets.
const USUAL: u64 = 8;
/// Runs at a time; each waits for its processes most of the time.
const AT_ONCE: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_anywhere_finishes_without_loss_and_without_doubles() {
    let runs =
        std::env::var("ROSTERD_TEST_KILLS").map_or(USUAL, |text| text.parse().expect("a number of runs"));
    let seeds = match std::env::var("ROSTERD_TEST_SEED").map(|text| text.parse::<u64>()) {
        Ok(seed) => {
            let seed = seed.expect("a seed");
            seed..seed + 1
        }
        Err(_) => 0..runs,
    };
    let played: Vec<Played> = stream::iter(seeds).map(play::play).buffer_unordered(AT_ONCE).collect().await;
    let mut kills: BTreeMap<&str, u64> = BTreeMap::new();
    for place in played.iter().flat_map(|run| &run.killed) {
        *kills.entry(place).or_default() += 1;
    }
    println!("{runs} runs, killed: {kills:?}");
    let unharmed = played.iter().filter(|run| run.killed.is_empty()).count() as u64;
    assert!(unharmed <= runs / 4, "{unharmed} of {runs} runs were not killed at all: the traps miss");
}
