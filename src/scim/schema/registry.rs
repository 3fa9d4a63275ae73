//! The extensions that this process knows. What it knows only grows: a definition lives as long as the process, so
//! that everybody may hold it.

use std::sync::PoisonError;
use std::sync::RwLock;

use super::Schema;
use super::core;
use crate::scim::ResourceType;
use crate::scim::tables;

#[derive(Clone, Copy)]
struct Known {
    user: &'static [&'static Schema],
    group: &'static [&'static Schema],
    grant: &'static [&'static Schema],
}

static KNOWN: RwLock<Known> =
    RwLock::new(Known { user: &[&tables::ENTERPRISE_USER], group: &[], grant: &[] });

/// Another schema has the URN already, with other attributes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another schema has the URN {urn} already: give this one an id of its own, or take the other out")]
pub struct Conflict {
    pub urn: &'static str,
}

/// The extensions of a resource type.
pub fn extensions(kind: ResourceType) -> &'static [&'static Schema] {
    let known = known();
    match kind {
        ResourceType::User => known.user,
        ResourceType::Group => known.group,
        ResourceType::Grant => known.grant,
    }
}

/// All schemas, in the order of discovery. What extends two resource types is there twice.
pub fn schemas() -> impl Iterator<Item = &'static Schema> {
    let Known { user, group, grant } = known();
    ResourceType::ALL.into_iter().map(core).chain([user, group, grant].into_iter().flatten().copied())
}

/// Makes an extension one of a resource type. To register it again changes nothing.
pub fn register(kind: ResourceType, schema: Schema) -> Result<&'static Schema, Conflict> {
    // Nothing here panics half-way, so a poisoned lock still holds a whole value.
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let Known { user, group, grant } = *known;
    let mut cores = ResourceType::ALL.into_iter().map(core);
    if cores.any(|core| core.urn.eq_ignore_ascii_case(schema.urn)) {
        return Err(Conflict { urn: schema.urn });
    }
    let mut extensions = [user, group, grant].into_iter().flatten().copied();
    let schema: &'static Schema = match extensions.find(|known| known.urn.eq_ignore_ascii_case(schema.urn)) {
        Some(same) if *same == schema => same,
        Some(_) => return Err(Conflict { urn: schema.urn }),
        None => Box::leak(Box::new(schema)),
    };
    let slot = match kind {
        ResourceType::User => &mut known.user,
        ResourceType::Group => &mut known.group,
        ResourceType::Grant => &mut known.grant,
    };
    if !slot.iter().any(|known| known.urn == schema.urn) {
        let longer: Vec<&'static Schema> = slot.iter().copied().chain([schema]).collect();
        *slot = longer.leak();
    }
    Ok(schema)
}

fn known() -> Known {
    *KNOWN.read().unwrap_or_else(PoisonError::into_inner)
}
