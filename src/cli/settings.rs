//! From the arguments and the environment to checked settings.

use super::args::Global;
use crate::config::Config;
use crate::config::Flags;
use crate::config::Layers;
use crate::config::Merged;
use crate::config::PREFIX;
use crate::config::Problems;

/// The layers that the command line and the environment say.
pub fn layers(global: &Global, listen: Option<&str>) -> Layers {
    Layers {
        file: global.config.clone(),
        // A variable that is not text is none of ours.
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect(),
        flags: Flags { state: global.state.clone(), listen: listen.map(str::to_owned) },
    }
}

pub fn load(global: &Global) -> Result<Config, Problems> {
    load_layers(&layers(global, None))
}

/// The checked settings. Warnings are logged: no command stops for them.
pub fn load_layers(layers: &Layers) -> Result<Config, Problems> {
    let config = Merged::read(layers)?.check()?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}
