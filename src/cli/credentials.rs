//! The files that a job's credentials lie in: whether one of them was replaced since they were read.

use std::fs;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use crate::config::Config;
use crate::config::JobConfig;
use crate::config::OktaSignIn;
use crate::config::SecretPlace;
use crate::config::SignInConfig;
use crate::config::SourceConfig;
use crate::config::TargetKind;

/// Another number when a file was replaced, written to, taken away or put back. Nothing of them is read.
pub fn stamp(config: &Config, job: &JobConfig) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in files(config, job) {
        let seen = fs::metadata(&path).ok();
        seen.map(|is| (is.ino(), is.len(), is.mtime(), is.mtime_nsec())).hash(&mut hasher);
    }
    hasher.finish()
}

fn files(config: &Config, job: &JobConfig) -> Vec<PathBuf> {
    let (mut places, mut authorities): (Vec<&SecretPlace>, Vec<&Path>) = (Vec::new(), Vec::new());
    match &job.source {
        SourceConfig::Graph(graph) => {
            authorities.extend(graph.ca_file.as_deref());
            match &graph.sign_in {
                SignInConfig::Secrets(secrets) => places.extend(secrets),
                SignInConfig::Certificate { certificate, key, .. } => {
                    places.push(certificate);
                    places.extend(key);
                }
                // A federated token is read for every sign-in; an identity lies nowhere.
                SignInConfig::Federated(_) | SignInConfig::Identity(_) => {}
            }
        }
        SourceConfig::Okta(okta) => {
            authorities.extend(okta.ca_file.as_deref());
            match &okta.sign_in {
                OktaSignIn::Token(place) => places.push(place),
                OktaSignIn::Service { private_key, .. } => places.push(private_key),
            }
        }
        SourceConfig::File(_) => {}
    }
    if let Some(TargetKind::Scim(scim)) = config.targets.get(&job.target).map(|target| &target.kind) {
        places.extend(&scim.tokens);
        authorities.extend(scim.ca_file.as_deref());
    }
    let secrets = places.into_iter().filter_map(SecretPlace::file);
    secrets.chain(authorities.into_iter().map(Path::to_owned)).collect()
}
