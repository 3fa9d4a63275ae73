//! Lost anchors: what the target says it no longer has is matched anew, unless much is gone at once (P15).

use super::CycleError;
use super::Run;
use crate::plan::Cause;
use crate::plan::CauseKind;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::JobId;
use crate::store::LostAnchor;
use crate::store::Store;

const WINDOW_SECONDS: i64 = 24 * 60 * 60;
/// Asked for in one call.
const CHUNK: usize = 200;

/// Forgets what is gone, so that the decision finds people without an account. Returns why nothing may be created or
/// removed, where too much is gone.
pub(super) async fn release(on: &Run<'_>, store: &Store, job: JobId) -> Result<Option<Hold>, CycleError> {
    let since = on.how.now.as_second() - WINDOW_SECONDS;
    let (waiting, recent) = store.lost_anchors(job, since).await.map_err(on.store())?;
    let allowed = on.job.limits.lost_anchors;
    let (free, held): (Vec<LostAnchor>, Vec<LostAnchor>) =
        waiting.into_iter().partition(|anchor| anchor.approved || recent <= allowed);
    for chunk in free.chunks(CHUNK) {
        on.stopped()?;
        let ids: Vec<(Kind, ResourceId)> =
            chunk.iter().map(|anchor| (anchor.kind, anchor.resource.clone())).collect();
        let shown = on.job.target.get(&ids).await.map_err(on.target())?;
        let (mut gone, mut there) = (Vec::new(), Vec::new());
        for (anchor, shown) in chunk.iter().zip(shown) {
            match shown {
                None => gone.push(anchor.clone()),
                Some(_) => there.push(anchor.link),
            }
        }
        store.settle_anchors(gone, there).await.map_err(on.store())?;
    }
    Ok((!held.is_empty()).then(|| too_many(&on.job.name, recent, allowed)))
}

fn too_many(job: &str, recent: u64, allowed: u64) -> Hold {
    let text = format!(
        "the target has no more {recent} of the accounts and teams that it had, allowed are {allowed} in 24 hours \
         (jobs.{job}.limits.lost_anchors); nothing is matched, created or removed until somebody has looked whether it is \
         the right target, and approves"
    );
    Hold { kind: HoldKind::Anchors, text }
}

/// All of them are one decision.
pub(super) fn cause() -> Cause {
    let (subjects, names) = (Vec::new(), Vec::new());
    Cause { kind: CauseKind::LostAnchor, subjects, names, rules: String::new() }
}
