//! A small deterministic random number generator, so that one seed gives one directory on every machine.

use std::fmt::Write as _;

const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good enough for names and ids.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit` - 1; 0 where `limit` is 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }

    pub(super) fn chance(&mut self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }

    /// A version 4 GUID in lower case, as Graph shows object ids.
    pub(super) fn guid(&mut self) -> Box<str> {
        let high = (self.next() & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (self.next() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let mut text = String::with_capacity(36);
        write!(
            text,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
        .expect("writing to a String cannot fail");
        text.into()
    }

    /// Letters and digits: the tail of an Okta id, a request id, the id of a Graph assignment.
    pub(super) fn alphanumeric(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(ALPHANUMERIC[self.below(62)])).collect()
    }

    /// An Okta id: a prefix of three (`00u`, `00g`, `0oa`) and 17 more characters.
    pub(super) fn okta_id(&mut self, prefix: &str) -> Box<str> {
        format!("{prefix}{}", self.alphanumeric(17)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut one, mut other) = (Random::new(7), Random::new(7));
        assert_eq!(one.guid(), other.guid());
        assert_ne!(one.next(), Random::new(8).next());
    }

    #[test]
    fn ids_have_the_form_of_their_service() {
        let mut random = Random::new(1);
        let guid = random.guid();
        assert_eq!(guid.len(), 36);
        assert_eq!(&guid[14..15], "4");
        let user = random.okta_id("00u");
        assert_eq!(user.len(), 20);
        assert!(user.starts_with("00u"));
    }
}
