//! One run of reads: what a cycle begins with, what comes of each page, and what a trouble means for its read.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::ASSIGNMENTS;
use super::GraphSource;
use super::MEMBERS;
use super::USERS;
use super::assignments;
use super::groups;
use super::lists;
use super::members;
use super::place::Place;
use super::place::Watermark;
use super::round::Round;
use super::select::PREMIUM;
use super::session::Session;
use super::settings::GroupsNeed;
use super::settings::is_name;
use super::streams::GROUPS;
use super::streams::Opening;
use super::streams::Streams;
use super::streams::is_stream;
use super::trouble::Trouble;
use super::users;
use crate::model::Collection;
use crate::model::Coverage;
use crate::model::List;
use crate::model::Next;
use crate::model::Page;
use crate::model::Read;
use crate::model::Reading;
use crate::model::SourceId;
use crate::model::Watermarks;
use crate::sources::SourceError;

/// How often a read may begin again from where the last cycle stopped; then it reads everything (graph.md 6.5).
const AGAIN_MAX: u8 = 3;

impl GraphSource {
    /// Users before groups, other than graph.md 6.6 R7: the memberships that are read of a returned user may lag,
    /// and what the groups' feed says has the last word.
    pub(super) fn begin(&self, watermarks: &Watermarks, reading: Reading) -> Vec<Read> {
        let session = self.number();
        let mut reads: Vec<Read> = Vec::new();
        let mut naming = BTreeSet::new();
        let settings = &self.graph.settings;
        for list in settings.apps().into_iter().cloned().chain(settings.lists.iter().map(List::id)) {
            let name = format!("{ASSIGNMENTS}{list}");
            if naming.insert(name.clone()) {
                reads.push(self.read(session, name, None));
            }
        }
        let full = reading == Reading::Full;
        let users = watermarks.get(USERS).filter(|_| !full).and_then(|text| Watermark::decode(text));
        let users = users.filter(|watermark| self.is_usable(watermark, &self.graph.select.key()));
        reads.push(self.read(session, USERS.to_owned(), users));
        let group_select = settings.group_select();
        let mut streams = Streams::new(watermarks, full, settings.nested, |watermark| {
            self.is_usable(watermark, &group_select)
        });
        let (openings, named) = match &settings.groups {
            GroupsNeed::All => {
                naming.clear();
                (vec![streams.everything()], BTreeSet::new())
            }
            GroupsNeed::Ids(ids) => {
                let named: BTreeSet<String> = ids.iter().map(|id| id.0.clone()).collect();
                let openings = if naming.is_empty() { streams.plan(&named) } else { Vec::new() };
                (openings, named)
            }
        };
        reads.extend(openings.into_iter().map(|opening| self.open(session, opening)));
        let first = watermarks.is_empty();
        self.sessions.begin(session, Session { first, naming, named, streams });
        reads
    }

    /// A watermark counts as long as it was made for the attributes and the service that are set now.
    fn is_usable(&self, watermark: &Watermark, select: &str) -> bool {
        watermark.select == select && self.graph.client.follow(&watermark.link).is_ok()
    }

    fn read(&self, session: u64, name: String, from: Option<Watermark>) -> Read {
        self.open(session, Opening { name, ids: Vec::new(), layout: 0, from })
    }

    fn open(&self, session: u64, opening: Opening) -> Read {
        let round = self.number();
        let from = opening.from.unwrap_or_default();
        self.rounds.keep(round, Round::new(from.gone));
        let place = Place {
            round,
            session,
            from: Some(from.link).filter(|link| !link.is_empty()),
            tries: from.tries,
            ids: opening.ids,
            layout: opening.layout,
            ..Place::default()
        };
        Read { name: opening.name, cursor: place.cursor() }
    }

    pub(super) async fn turn(&self, read: &Read) -> Result<Page, SourceError> {
        let place = Place::decode(&read.cursor)?;
        let mut round = self.rounds.take(&place)?;
        round.count_page(&read.name)?;
        match self.dispatch(&read.name, &place, &mut round).await {
            Ok(page) => {
                round.meet(shown(&read.name), &page.records)?;
                Ok(self.turned(read, &place, round, page))
            }
            Err(trouble) => self.troubled(read, &place, round, trouble),
        }
    }

    async fn dispatch(&self, name: &str, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
        if let Some(list) = name.strip_prefix(ASSIGNMENTS) {
            return match List::of(&SourceId(list.to_owned())) {
                List::App(app) => assignments::page(&self.graph, &app, place, round).await,
                list => lists::page(&self.graph, &list, place, round).await,
            };
        }
        if let Some(group) = name.strip_prefix(MEMBERS) {
            return members::page(&self.graph, &SourceId(group.to_owned()), place, round).await;
        }
        match name {
            USERS => users::page(&self.graph, place, round).await,
            _ if name == GROUPS || is_stream(name) => groups::page(&self.graph, place, round).await,
            _ => {
                let what = "this source has no such read".to_owned();
                Err(Trouble::Source(SourceError::Malformed { place: name.to_owned(), what }))
            }
        }
    }

    /// What has ended may show that further reads are needed.
    fn turned(&self, read: &Read, place: &Place, round: Round, mut page: Page) -> Page {
        page.notes.extend(self.take_expiry_note());
        match &page.next {
            Next::Page(cursor) => {
                // A read that went over to another beginning has the same number.
                debug_assert!(Place::decode(cursor).is_ok_and(|next| next.round == place.round));
                self.rounds.keep(place.round, round);
            }
            Next::End { .. } => page.further.extend(self.further(read, place, &round)),
        }
        page
    }

    fn further(&self, read: &Read, place: &Place, round: &Round) -> Vec<Read> {
        // An id stands in a filter; what is none cannot be asked for.
        let named: BTreeSet<String> = round.named.iter().filter(|id| is_name(id)).cloned().collect();
        let openings = self.sessions.ended(place.session, &read.name, &named);
        let mut further: Vec<Read> =
            openings.into_iter().map(|opening| self.open(place.session, opening)).collect();
        let listed = round.unlisted.iter().map(|id| format!("{MEMBERS}{id}"));
        further.extend(listed.map(|name| self.read(place.session, name, None)));
        further
    }

    /// | trouble | then |
    /// |---|---|
    /// | the page token is not known any more | the read begins again; the fourth time it reads everything |
    /// | the delta link is not known any more | the read reads everything |
    /// | the tenant has no feeds | everything is listed from now on |
    /// | a property needs a licence, or a permission of its own | it is left out from now on |
    /// | a permission was lost | this collection proves nothing, the others go on (P12) |
    /// | anything else, and a permission that was never there | the cycle ends, and nothing is removed |
    fn troubled(
        &self,
        read: &Read,
        place: &Place,
        round: Round,
        trouble: Trouble,
    ) -> Result<Page, SourceError> {
        let name = shown(&read.name);
        match trouble {
            Trouble::PageExpired if place.again < AGAIN_MAX => {
                let note = format!("the pages of `{name}` expired while they were read; it begins again");
                self.again(read, place.anew(), round, note)
            }
            Trouble::PageExpired => {
                let note =
                    format!("the pages of `{name}` expired again and again; it was read from the start");
                self.again(read, place.whole(), round, note)
            }
            Trouble::Expired => {
                let note = format!("the watermark of `{name}` had expired; it was read from the start");
                self.again(read, place.whole(), round, note)
            }
            Trouble::NoFeed { .. } => {
                self.graph.lists_only.store(true, Ordering::Relaxed);
                let note =
                    "the tenant has no change feeds; everybody and every group is listed in each cycle";
                self.again(read, place.whole(), round, note.to_owned())
            }
            Trouble::Premium { .. } | Trouble::Denied { .. }
                if read.name == USERS && self.graph.select.is_premium() =>
            {
                self.graph.select.leave_out_premium();
                let note = format!(
                    "`{PREMIUM}` may not be read and counts as empty; it needs a P1 licence and the application \
                     permission AuditLog.Read.All"
                );
                self.again(read, place.anew(), round, note)
            }
            Trouble::Denied { what, cure }
                if read.name != USERS && !self.sessions.is_first(place.session) =>
            {
                let note =
                    format!("{what}: nothing follows from what `{name}` shows or does not show; {cure}");
                let next = Next::End { covered: unread(&read.name, place), watermark: None };
                let further = self.further(read, place, &round);
                Ok(Page { records: Vec::new(), next, further, notes: vec![note] })
            }
            Trouble::Missing { what } => Err(SourceError::Malformed { place: read.name.clone(), what }),
            other => Err(plain(other, &read.name)),
        }
    }

    /// The read goes on at another place, with nothing in mind but what was there before it.
    fn again(&self, read: &Read, place: Place, mut round: Round, note: String) -> Result<Page, SourceError> {
        if place.again > 2 * AGAIN_MAX {
            let what = format!("Graph lost its place in `{}` {} times", shown(&read.name), place.again);
            return Err(SourceError::Unavailable { what });
        }
        self.rounds.keep(place.round, round.anew());
        let next = Next::Page(place.cursor());
        Ok(Page { records: Vec::new(), next, further: Vec::new(), notes: vec![note] })
    }
}

fn plain(trouble: Trouble, read: &str) -> SourceError {
    match trouble.plain() {
        Trouble::Source(error) => error,
        other => SourceError::Malformed { place: read.to_owned(), what: format!("{other:?}") },
    }
}

/// A stream is a part of `groups`; its number means nothing to anybody.
fn shown(read: &str) -> &str {
    if is_stream(read) { GROUPS } else { read }
}

fn unread(read: &str, place: &Place) -> Vec<(Collection, Coverage)> {
    if let Some(list) = read.strip_prefix(ASSIGNMENTS) {
        return lists::unread(&SourceId(list.to_owned()));
    }
    match read.strip_prefix(MEMBERS) {
        Some(group) => members::unread(&SourceId(group.to_owned())),
        None => groups::unread(place),
    }
}
