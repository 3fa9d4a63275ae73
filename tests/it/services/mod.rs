//! Strict doubles of the services that we push to: each refuses what its row of the table says that the service
//! refuses (SCIM reference, section 13), and the client still makes it equal to the source.
//!
//! | file | holds |
//! |---|---|
//! | `row`, `rows` | what a service is strict about, and the services |
//! | `serve`, `pages`, `rates`, `refusal` | one service over HTTP |
//! | `directory`, `members`, `patch`, `filter` | what it holds, and how it changes |
//! | `refused` | each row refuses what it says, asked without our client |
//! | `life` | the whole life of a company, from a file through the engine into a service |
//! | `taking_over` | everybody is there already |
//! | `learning` | the same with the standard profile, which has to find its way |
//! | `lying` | lists that are cut, and silence |
//! | `verifying` | nobody else wrote, so nothing drifts |
//! | `renaming` | ids that change with a name |
//! | `converging` | that life against every row |

mod converging;
mod directory;
mod filter;
mod learning;
pub mod life;
pub mod lying;
mod members;
mod pages;
mod patch;
mod rates;
mod refusal;
mod refused;
mod renaming;
mod row;
mod rows;
mod serve;
mod taking_over;
mod verifying;
