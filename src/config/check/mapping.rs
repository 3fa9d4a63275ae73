//! Mappings: a preset, and the rows of the settings over it.

use super::Checker;
use crate::config::presets;
use crate::config::problem::Key;
use crate::expr::nearest;
use crate::model::Grade;
use crate::model::Vocabulary;
use crate::plan::Mapping;
use crate::plan::Mappings;
use crate::plan::RawMapping;
use crate::plan::RawPreset;
use crate::plan::RowProblem;
use crate::scim::Kind;

impl Checker<'_> {
    pub(super) fn mapping(
        &mut self,
        table: &Key,
        raw: &RawMapping,
        vocabulary: Vocabulary,
    ) -> Option<Mappings> {
        if raw == &RawMapping::default() {
            let known = presets::names().collect::<Vec<_>>().join(", ");
            let cure = format!("set preset to one of {known}, or write rows");
            return self.error(table, "nothing is mapped".to_owned(), &cure);
        }
        let preset = self.preset(&table.join("preset"), raw.preset.as_deref(), vocabulary)?;
        match raw.check(preset.as_ref(), vocabulary) {
            Ok(mappings) => {
                self.row_warnings(table, Kind::User, &mappings.users, vocabulary);
                self.row_warnings(table, Kind::Group, &mappings.groups, vocabulary);
                Some(mappings)
            }
            Err(problems) => {
                for problem in &problems {
                    self.error_with_cure::<()>(&row_key(table, problem), &problem.text);
                }
                None
            }
        }
    }

    /// Outside: whether it can be read; inside: whether there is one.
    fn preset(&mut self, key: &Key, name: Option<&str>, vocabulary: Vocabulary) -> Option<Option<RawPreset>> {
        let Some(name) = name else { return Some(None) };
        let fitting = presets::names()
            .filter(|name| presets::preset(name).is_some_and(|preset| preset.rows(vocabulary).is_some()));
        let fitting: Vec<&str> = fitting.collect();
        let others = format!("use one of {}, or write rows", fitting.join(", "));
        match presets::preset(name) {
            Some(preset) if preset.rows(vocabulary).is_some() => Some(Some(preset)),
            Some(_) => self.error(key, format!("the preset `{name}` is not for such a source"), &others),
            None => {
                let meant = nearest(name, fitting.iter().copied());
                let cure = meant.map_or(others, |meant| format!("did you mean `{meant}`?"));
                self.error(key, format!("there is no preset `{name}`"), &cure)
            }
        }
    }

    /// A mapping without rows is one that nobody asked for.
    fn row_warnings(&mut self, table: &Key, kind: Kind, mapping: &Mapping, vocabulary: Vocabulary) {
        if mapping.rows.is_empty() {
            return;
        }
        for problem in mapping.check(kind, vocabulary) {
            if problem.grade == Grade::Warning {
                let (message, cure) = problem.text.split_once("; ").unwrap_or((&problem.text, ""));
                self.warn(&row_key(table, &problem), message, cure);
            }
        }
    }
}

fn row_key(table: &Key, problem: &RowProblem) -> Key {
    problem.keys().into_iter().fold(table.clone(), |key, part| key.join(part))
}
