//! The System Log in polling mode: a hint of what to read again, and the one place that tells of deletions. It is
//! never the only source: where it cannot be read, the lists say the same, later (okta.md section 4).

use jiff::SignedDuration;
use jiff::Timestamp;
use url::Url;

use super::OktaSource;
use super::bookmark::Bookmark;
use super::events;
use super::events::Event;
use super::events::Subject;
use super::mark;
use super::mark::LogMark;
use super::pages::end;
use super::pages::on;
use super::pages::told;
use super::records::Shown;
use super::refusal::Failure;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::model::Standing;
use crate::scim::Kind;
use crate::sources::SourceError;

/// Pages of one cycle, 100,000 events; the next cycle goes on from there.
const PAGES_MAX: usize = 100;
/// Okta keeps events for 90 days; a link that is older leads nowhere.
const KEPT: SignedDuration = SignedDuration::from_hours(89 * 24);

impl OktaSource {
    /// Where the last cycle stopped, or the time before this one that the lists may not show yet.
    pub(super) fn log_begins(&self, stored: Option<LogMark>, now: Timestamp) -> Url {
        let fresh = stored.filter(|mark| now.duration_since(mark.read_at) < KEPT);
        let known = fresh.and_then(|mark| self.talk.follow(&mark.next).ok());
        known.unwrap_or_else(|| self.log_from(now))
    }

    fn log_from(&self, now: Timestamp) -> Url {
        let since = now.checked_sub(self.settings.overlap).unwrap_or(now);
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let filter = events::filter();
        let query =
            [("since", since.as_str()), ("filter", &filter), ("sortOrder", "ASCENDING"), ("limit", "1000")];
        self.talk.address(&["logs"], &query)
    }

    pub(super) async fn log(&self, bookmark: Bookmark, url: Url) -> Result<Page, SourceError> {
        let page = match self.talk.rows(url.clone()).await {
            Ok(page) => page,
            Err(failure) => return Ok(self.log_is_silent(bookmark, &failure)),
        };
        let (rows, bad) = page.read::<Event>();
        let mut shown = Shown::default();
        if bad > 0 {
            shown.notes.push(format!("{}: {bad} events cannot be read and are left out", page.place));
        }
        let (pages, now) = {
            let mut plan = self.plan();
            plan.log_speaks = true;
            let app = self.settings.app();
            let deleted = rows.iter().filter_map(|event| plan.heard.take(event, &app.0));
            shown.records.extend(deleted.filter_map(removed));
            plan.walked.insert(url.to_string());
            (plan.walked.len(), plan.now)
        };
        // Polling always names a next link. The log is read to its end by an empty page, never by a short one.
        let next = page.next.unwrap_or_else(|| url.clone());
        let circle = next == url || self.plan().walked.contains(next.as_str());
        if page.rows.is_empty() || circle || pages >= PAGES_MAX {
            if pages >= PAGES_MAX {
                shown
                    .notes
                    .push(format!("{pages} pages of the System Log were read; the next cycle goes on"));
            }
            let mark = LogMark { next: next.to_string(), read_at: now };
            return Ok(end(Vec::new(), Some(mark::text(&mark)), shown));
        }
        Ok(on(bookmark.at(&next), shown))
    }

    /// A link that the log refuses (400: too old, or not its own) is given up once for a new beginning; anything else
    /// leaves this cycle without the log, and the link as it is.
    fn log_is_silent(&self, bookmark: Bookmark, failure: &Failure) -> Page {
        let now = self.plan().now;
        let first = self.log_from(now);
        let why = told(failure);
        if matches!(failure, Failure::Refused(refusal) if refusal.status == 400)
            && !bookmark.restarted
            && bookmark.url != first.as_str()
        {
            let note = format!(
                "{why}; the System Log is followed anew from now on, and what it told between is not known"
            );
            return on(Bookmark { restarted: true, ..bookmark.at(&first) }, Shown::of_note(note));
        }
        self.plan().log_speaks = false;
        let cure =
            "grant okta.logs.read and a role that may see reports, or set source.okta.system_log = false";
        let note = format!("the System Log cannot be read ({why}); the lists are read without it; {cure}");
        end(Vec::new(), None, Shown::of_note(note))
    }
}

/// An explicit removal event (P1). Lists come later in the cycle, so what they still show has the last word.
fn removed(subject: Subject) -> Option<Record> {
    let (kind, id) = match subject {
        Subject::Group(id) => (Kind::Group, id),
        Subject::User(id) => (Kind::User, id),
        _ => return None,
    };
    Some(Record::Removed { kind, id: SourceId(id), standing: Standing::Gone })
}
