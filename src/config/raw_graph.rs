//! `[jobs.NAME.source.graph]` as it stands in the files.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::Deserializer;
use serde::de;

use super::raw::OneOrMany;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGraph {
    pub tenant: Option<String>,
    pub client_id: Option<String>,
    pub cloud: Option<String>,
    pub secret: Option<OneOrMany>,
    pub secret_expires: Option<String>,
    pub certificate: Option<String>,
    pub certificate_key: Option<String>,
    pub assertion: Option<String>,
    pub federated_token: Option<String>,
    pub managed_identity: Option<Switch<RawIdentity>>,
    pub azure_arc: Option<Switch<RawArc>>,
    pub authority: Option<String>,
    pub root: Option<String>,
    pub ca_file: Option<String>,
    pub budget: Option<String>,
    pub tenant_size: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawIdentity {
    pub client_id: Option<String>,
    pub object_id: Option<String>,
    pub msi_res_id: Option<String>,
    pub endpoint: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawArc {
    pub endpoint: Option<String>,
    pub token_directory: Option<String>,
}

/// `true`, `false`, or a table that says more and switches on. Not an untagged enum, which would lose the place of
/// an error.
#[derive(Debug)]
pub(super) enum Switch<T> {
    Off,
    On(T),
}

impl<T> Switch<T> {
    /// What is switched on.
    pub(super) fn on(&self) -> Option<&T> {
        match self {
            Switch::Off => None,
            Switch::On(more) => Some(more),
        }
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Switch<T>, D::Error> {
        deserializer.deserialize_any(SwitchVisitor(PhantomData))
    }
}

struct SwitchVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> de::Visitor<'de> for SwitchVisitor<T> {
    type Value = Switch<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or a table")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Switch<T>, E> {
        Ok(if on { Switch::On(T::default()) } else { Switch::Off })
    }

    /// A variable is always a text.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Switch<T>, E> {
        match text {
            "true" => self.visit_bool(true),
            "false" => self.visit_bool(false),
            _ => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Switch::On)
    }
}
