//! Mappings: a preset, and the rows of the settings over it.

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw::RawJob;
use crate::model::Vocabulary;
use crate::plan::Mapping;

pub(super) struct Mappings {
    pub vocabulary: Vocabulary,
    pub users: Mapping,
    pub groups: Mapping,
}

impl Checker<'_> {
    pub(super) fn mapping(&mut self, _table: &Key, _raw: &RawJob) -> Option<Mappings> {
        Some(Mappings {
            vocabulary: Vocabulary::Graph,
            users: Mapping::default(),
            groups: Mapping::default(),
        })
    }
}
