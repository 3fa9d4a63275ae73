//! What was learned of a target: read when a cycle or a check begins, kept when it ends, forgotten after a while
//! (SCIM reference, O2).

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::model::Finding;
use crate::model::Grade;
use crate::model::Learned;
use crate::model::Lesson;
use crate::store::Store;
use crate::store::StoreError;
use crate::targets::ServiceProvider;

/// Hands the target what still counts of what was learned.
pub(super) async fn recall(
    store: &Store,
    target: &dyn ServiceProvider,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lessons: Vec<Lesson> =
        standing(store, target, now).await?.into_iter().map(|learned| learned.lesson).collect();
    target.recall(&lessons);
    Ok(())
}

/// Keeps what was learned since.
pub(super) async fn keep(
    store: &Store,
    target: &dyn ServiceProvider,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lessons = target.lessons();
    match lessons.is_empty() {
        true => Ok(()),
        false => store.learn(target.identity(), lessons, now.as_second()).await,
    }
}

/// What a target is like, by reads alone, with what was learned of it: each with its evidence and its day. What the check
/// itself finds out is kept.
pub async fn check_target(
    store: &Store,
    target: &dyn ServiceProvider,
    now: Timestamp,
) -> Result<Vec<Finding>, StoreError> {
    recall(store, target, now).await?;
    let mut findings = target.check().await;
    keep(store, target, now).await?;
    let learned = standing(store, target, now).await?;
    findings.extend(learned.iter().filter_map(|learned| told(learned, target)));
    Ok(findings)
}

async fn standing(
    store: &Store,
    target: &dyn ServiceProvider,
    now: Timestamp,
) -> Result<Vec<Learned>, StoreError> {
    let learned_for = target.learned_for().as_secs() as i64;
    let learned = store.learned(target.identity()).await?;
    Ok(learned.into_iter().filter(|one| now.as_second() - one.at_second < learned_for).collect())
}

/// What a target only remembers for itself (a hash) is not told.
fn told(learned: &Learned, target: &dyn ServiceProvider) -> Option<Finding> {
    let Lesson { capability, value, evidence } = &learned.lesson;
    let at = Timestamp::from_second(learned.at_second).ok()?;
    let until = at.checked_add(SignedDuration::try_from(target.learned_for()).ok()?).ok()?;
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    (capability.contains('.')).then(|| Finding {
        grade: Grade::Ok,
        subject: "learned".to_owned(),
        text: format!("{capability} = {value} since {}, until {}: {evidence}", day(at), day(until)),
        cure: String::new(),
    })
}
