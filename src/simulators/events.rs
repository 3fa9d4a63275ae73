//! The change log: what happened, in order; Graph's delta feeds are read off it.

use super::directory::Principal;

/// One entry. Property names are Graph's, so that `$select` can decide what concerns a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    PersonCreated(u32),
    PersonChanged(u32, Vec<Box<str>>),
    PersonDeleted(u32),
    PersonRestored(u32),
    PersonPurged(u32),
    GroupCreated(u32),
    GroupChanged(u32, Vec<Box<str>>),
    GroupDeleted(u32),
    GroupRestored(u32),
    GroupPurged(u32),
    MemberAdded(u32, Principal),
    MemberRemoved(u32, Principal),
    /// A membership that was hidden while its member sat in the recycle bin.
    MemberRestored(u32, Principal),
}
