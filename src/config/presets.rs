//! The mapping presets of config/presets, embedded: one file a service, or what a vendor's own provisioning does.

use figment::providers::Format as _;
use figment::providers::Toml;

use crate::plan::RawPreset;

const PRESETS: [(&str, &str); 4] = [
    ("cerby", include_str!("../../config/presets/cerby.toml")),
    ("configcat", include_str!("../../config/presets/configcat.toml")),
    ("entra-default", include_str!("../../config/presets/entra-default.toml")),
    ("okta-default", include_str!("../../config/presets/okta-default.toml")),
];

/// The preset of this name; `None` where there is no such preset.
pub(super) fn preset(name: &str) -> Option<RawPreset> {
    let (_, text) = PRESETS.into_iter().find(|(known, _)| *known == name)?;
    Some(Toml::from_str(text).expect("a preset that is embedded was read by the tests"))
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.into_iter().map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Vocabulary;
    use crate::plan::RawMapping;

    #[test]
    fn every_preset_can_be_read_and_is_sound_in_the_vocabularies_that_it_is_for() {
        for name in names() {
            let preset = preset(name).unwrap();
            let all = [Vocabulary::Graph, Vocabulary::Okta, Vocabulary::File];
            for vocabulary in all.into_iter().filter(|vocabulary| preset.rows(*vocabulary).is_some()) {
                let checked = RawMapping::default().check(Some(&preset), vocabulary);
                assert!(checked.is_ok(), "{name} {vocabulary:?}: {:?}", checked.err());
            }
        }
    }
}
