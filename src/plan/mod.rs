//! The decision, pure: scope, mapping, matching, diff, members, guard. Values in, a plan out.
//!
//! Nothing here knows a clock, the network, the disk or logging: what is needed is an argument, what is worth
//! telling is returned.

mod cause;
mod change;
mod mapping;
mod rules;

pub use cause::Cause;
pub use cause::CauseId;
pub use cause::CauseKind;
pub use change::Act;
pub use change::Change;
pub use change::Class;
pub use change::Edit;
pub use change::Header;
pub use change::Hold;
pub use change::HoldKind;
pub use change::Mode;
pub use change::Proof;
pub use change::Tally;
pub use change::Verdict;
pub use mapping::Given;
pub use mapping::Mapped;
pub use mapping::Mapping;
pub use mapping::MappingProblem;
pub use mapping::Row;
pub use mapping::RowFlow;
pub use mapping::RowValue;
pub use rules::Actions;
pub use rules::Adoption;
pub use rules::GroupPick;
pub use rules::Leavers;
pub use rules::Limit;
pub use rules::Limits;
pub use rules::OnLeave;
pub use rules::OnTeamLeave;
pub use rules::Rules;
pub use rules::Scope;
pub use rules::Selection;
