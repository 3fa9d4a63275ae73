//! Bulk (RFC 7644 section 3.7): each operation as a request of its own would be, in its own transaction.

use axum::body::Body;

use super::answer::Answer;
use super::body::Most;
use super::query::Expected;
use super::scim::Asked;
use super::scim::Call;
use super::scim::Failure;
use super::scim::failed;
use super::writes::named;
use crate::scim::bulk::Act;
use crate::scim::bulk::Reply;
use crate::scim::bulk::Request;
use crate::scim::bulk::Step;

impl Call {
    pub async fn bulk(&self, asked: &Asked, body: Body) -> Result<Answer, Failure> {
        let limits = self.limits();
        let most = Most { bytes: limits.bulk_bytes, setting: "scim.bulk_bytes" };
        let body = self.body_up_to(asked, body, most).await?;
        let request = Request::read(&body, limits.bulk_operations)
            .map_err(|error| named(error, "scim.bulk_operations"))?;
        let mut run = request.run();
        while let Some(step) = run.next_step() {
            let reply = match self.carry_out(&step).await {
                Ok(reply) => reply,
                Err(Failure::Refused(error)) => Reply::Refused(error),
                // What was done stays done, so the answer has to say which that was.
                Err(Failure::Store(error)) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the state failed a bulk operation"
                    );
                    Reply::Refused(failed())
                }
            };
            run.take(reply);
        }
        Ok(Answer::new(200, run.response(&asked.base)))
    }

    async fn carry_out(&self, step: &Step) -> Result<Reply, Failure> {
        let (kind, expected) = (step.kind, Expected::of_version(step.version.as_deref()));
        let kept = match &step.act {
            Act::Create { data } => self.create(kind, data).await?,
            Act::Replace { id, data } => self.replace(kind, id, data, &expected).await?,
            Act::Patch { id, data } => self.change(kind, id, data, &expected).await?.0,
            Act::Delete { id } => {
                self.remove(kind, id, &expected).await?;
                return Ok(Reply::Deleted);
            }
        };
        Ok(Reply::Kept(kept.meta))
    }
}
