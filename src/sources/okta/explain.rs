//! Whether the System Log explains that something is not there any more. What disappears without an event may only be
//! hidden from us: a role that was narrowed gives complete lists with fewer rows, and its 404s lie too.

use jiff::SignedDuration;
use jiff::Timestamp;
use url::Url;

use super::OktaSource;
use super::events::Event;
use super::events::Heard;
use super::events::Subject;
use super::events::TYPES;
use super::pages::told;
use crate::model::SourceEvent;
use crate::model::WitnessAnswer;

/// Questions to the log in one cycle; it has a small allowance (okta.md section 7).
const QUESTIONS_MAX: usize = 20;
/// Events are kept for 90 days.
const KEPT: SignedDuration = SignedDuration::from_hours(89 * 24);

impl OktaSource {
    /// Absent, where the log tells of it or is not read at all.
    pub(super) async fn explained(
        &self,
        about: &str,
        subjects: &[Subject],
        evidence: String,
    ) -> WitnessAnswer {
        {
            let mut plan = self.plan();
            if !plan.log_speaks {
                return WitnessAnswer::Absent(evidence.into());
            }
            let told = plan.heard.explains(subjects);
            if told.is_some() {
                plan.told = told;
                return WitnessAnswer::Absent(format!("{evidence}, and the System Log tells of it").into());
            }
        }
        match self.asked_of_the_log(about, subjects).await {
            Ok(Some(event)) => {
                self.plan().told = Some(event);
                WitnessAnswer::Absent(format!("{evidence}, and the System Log tells of it").into())
            }
            Ok(None) => {
                WitnessAnswer::Unexplained(format!("{evidence}, and the System Log tells of no removal"))
            }
            Err(why) => {
                WitnessAnswer::Unexplained(format!("{evidence}, and the System Log cannot say ({why})"))
            }
        }
    }

    /// The newest word of the log on this user or group, whenever it was: the cycle before may have heard it, or
    /// nobody yet.
    async fn asked_of_the_log(
        &self,
        about: &str,
        subjects: &[Subject],
    ) -> Result<Option<SourceEvent>, String> {
        if !self.one_question_more() {
            return Err(format!("{QUESTIONS_MAX} questions in one cycle are enough; the next asks again"));
        }
        let now = self.plan().now;
        let page = self.talk.rows(self.events_about(about, now)).await.map_err(|failure| told(&failure))?;
        let (events, _) = page.read::<Event>();
        let mut heard = Heard::default();
        for event in &events {
            heard.take(event, &self.settings.app().0);
        }
        Ok(heard.explains(subjects))
    }

    fn one_question_more(&self) -> bool {
        let mut plan = self.plan();
        plan.log_questions += 1;
        plan.log_questions <= QUESTIONS_MAX
    }

    /// Bounded, and newest first.
    fn events_about(&self, id: &str, now: Timestamp) -> Url {
        let text = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let since = text(now.checked_sub(KEPT).unwrap_or(now));
        let until = text(now);
        let types: Vec<String> = TYPES.iter().map(|name| format!("eventType eq \"{name}\"")).collect();
        let filter = format!("target.id eq \"{id}\" and ({})", types.join(" or "));
        let query = [
            ("since", since.as_str()),
            ("until", &until),
            ("filter", &filter),
            ("sortOrder", "DESCENDING"),
            ("limit", "100"),
        ];
        self.talk.address(&["logs"], &query)
    }
}
