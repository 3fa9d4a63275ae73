//! Whom a command is about: a person of a workspace, by id, userName or mail address.

use anyhow::Context;

use crate::scim::Compare;
use crate::scim::Filter;
use crate::scim::Path;
use crate::scim::ResourceType;
use crate::store::Resource;
use crate::store::Store;

/// Enough to say that it is not one.
const MATCHES_MAX: u64 = 5;

/// The one person who is called so. An id goes before a userName, and that before a mail address.
pub async fn find(store: &Store, workspace: &str, who: &str) -> Result<Resource, anyhow::Error> {
    let found = look(store, workspace, who).await?;
    found.with_context(|| {
        format!(
            "workspace {workspace} has nobody called `{who}`; give an id, a userName or a mail address, as \
             `rosterd workspace users --format json` shows them"
        )
    })
}

/// As [`find`]; `None` where there is nobody.
pub async fn look(store: &Store, workspace: &str, who: &str) -> Result<Option<Resource>, anyhow::Error> {
    let filters = ["id", "userName", "emails.value"].map(|path| equal(path, who));
    let filters = filters.into_iter().map(|filter| Ok((ResourceType::User, filter?)));
    let filters = filters.collect::<Result<Vec<_>, anyhow::Error>>()?;
    let answers = store.find_resources(workspace, filters, MATCHES_MAX).await?;
    let mut found = answers.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
    anyhow::ensure!(
        found.len() < 2,
        "several people of workspace {workspace} are called `{who}`; name one by id: {}",
        found.iter().map(|one| one.meta.id.0.as_str()).collect::<Vec<_>>().join(", ")
    );
    Ok(found.pop())
}

/// `path eq "value"`.
pub fn equal(path: &str, value: &str) -> Result<Filter, anyhow::Error> {
    Ok(Filter::Compare { path: Path::parse(path)?, op: Compare::Eq, value: value.into() })
}
