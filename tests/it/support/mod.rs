//! What the tests share: stories played against a file source and a workspace, both of them products.

pub mod acts;
pub mod bent;
pub mod directory;
pub mod foreign;
pub mod host;
pub mod keys;
pub mod refusing;
pub mod scim_service;
pub mod script;
pub mod sections;
pub mod served;
pub mod simulated;
pub mod story;
pub mod telling;
pub mod there;
pub mod undoing;
pub mod without_patch;
pub mod wording;

/// Recorded exchanges and a real history, where `ROSTERD_CORPUS` points; `None`, and said, where it is not set.
pub fn corpus() -> Option<std::path::PathBuf> {
    let corpus = std::env::var_os("ROSTERD_CORPUS").map(std::path::PathBuf::from);
    if corpus.is_none() {
        println!("skipped: no corpus (set ROSTERD_CORPUS)");
    }
    corpus
}
