//! The whole chain over real HTTP: a simulated directory, the real connector, the cycle, a workspace.

pub mod account;
mod broken_reads;
mod crashes;
mod dry_run;
mod erasure;
mod evidence;
mod expressions;
mod first_days;
mod golden;
mod graph_bugs;
mod graph_golden;
mod graph_knobs;
mod graph_refusals;
mod graph_scenarios;
mod graph_sign_in;
mod learning;
mod leavers;
mod links;
mod okta_knobs;
mod okta_lies;
mod okta_pitfalls;
mod okta_pushes;
mod okta_rows;
mod provision;
mod provision_people;
mod remote;
pub mod schedules;
mod scope;
mod shaky;
pub mod site;
mod throttling;
mod undo;
mod verify;
pub mod weeks;
mod witness;

/// One test of each name for every flavour: `name::graph`, `name::okta`.
macro_rules! both {
    ($($(#[$about:meta])* async fn $name:ident($flavour:ident) $body:block)*) => {
        $(
            $(#[$about])*
            mod $name {
                use super::*;

                async fn play($flavour: Flavour) $body

                #[tokio::test]
                async fn graph() {
                    play(Flavour::Graph).await;
                }

                #[tokio::test]
                async fn okta() {
                    play(Flavour::Okta).await;
                }
            }
        )*
    };
}
use both;
