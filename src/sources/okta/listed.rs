//! Who was on a list in this cycle, the application's users or a group's members, as a set that fits in memory.

use std::collections::BTreeSet;

/// 64 bits of each id: 100,000 people take about a megabyte, and with so many one chance in a billion that somebody
/// who is in a chosen group alone is taken for one of them.
#[derive(Debug, Default)]
pub(super) struct Listed {
    ids: BTreeSet<u64>,
    /// One of them, as it is.
    sample: Option<String>,
    sum: u64,
    /// The list was walked to its end.
    ended: bool,
    /// A row had no id: somebody is missing here, and nobody can say who.
    nameless: bool,
}

impl Listed {
    pub fn add(&mut self, id: &str) {
        let bits = bits(id);
        if self.ids.insert(bits) {
            self.sample.get_or_insert_with(|| id.to_owned());
            self.sum = self.sum.wrapping_add(bits);
        }
    }

    pub fn add_nameless(&mut self) {
        self.nameless = true;
    }

    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Only where everybody is known can it be said of somebody else that they are not among them.
    pub fn are_whole(&self) -> bool {
        self.ended && !self.nameless
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.nameless
    }

    pub fn sample(&self) -> Option<String> {
        self.sample.clone()
    }

    pub fn has(&self, id: &str) -> bool {
        self.ids.contains(&bits(id))
    }

    /// The same text for the same people, in whatever order they came.
    pub fn digest(&self) -> String {
        format!("{}:{:016x}", self.ids.len(), self.sum)
    }
}

/// 64 bits of an id.
pub(super) fn bits(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &[&str]) -> Listed {
        let mut users = Listed::default();
        ids.iter().for_each(|id| users.add(id));
        users
    }

    #[test]
    fn the_same_people_have_the_same_digest_in_any_order_and_shown_twice() {
        assert_eq!(of(&["00u1", "00u2"]).digest(), of(&["00u2", "00u1", "00u2"]).digest());
        assert_ne!(of(&["00u1", "00u2"]).digest(), of(&["00u1", "00u3"]).digest());
        assert_eq!(of(&[]).digest(), "0:0000000000000000");
    }

    #[test]
    fn they_are_whole_at_the_end_of_the_list_unless_somebody_has_no_id() {
        let mut users = of(&["00u1"]);
        assert!(!users.are_whole());
        users.end();
        assert!(users.are_whole());
        users.add_nameless();
        assert!(!users.are_whole());
    }

    #[test]
    fn who_was_shown_is_known() {
        let users = of(&["00u1"]);
        assert!(users.has("00u1") && !users.has("00u2"));
    }
}
