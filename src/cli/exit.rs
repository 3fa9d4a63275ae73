//! The exit codes of every command, in one table (design: section 5).

use std::process::ExitCode;

/// | code | means |
/// |---|---|
/// | 0 | done, or in sync |
/// | 1 | failed |
/// | 2 | the command line was wrong (clap's own) |
/// | 3 | `plan` found changes |
/// | 4 | something is held |
/// | 5 | some objects failed |
///
/// Where several apply, 1 comes before 5 before 4 before 3: the order of the variants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    #[default]
    Done,
    Changes,
    Held,
    SomeFailed,
    Failed,
}

impl Exit {
    /// What is said of two things together.
    pub fn and(self, other: Exit) -> Exit {
        self.max(other)
    }

    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Changes => 3,
            Exit::Held => 4,
            Exit::SomeFailed => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_before_five_before_four_before_three() {
        let together = |exits: &[Exit]| exits.iter().copied().fold(Exit::Done, Exit::and).code();
        assert_eq!(together(&[]), 0);
        assert_eq!(together(&[Exit::Changes, Exit::Done]), 3);
        assert_eq!(together(&[Exit::Changes, Exit::Held]), 4);
        assert_eq!(together(&[Exit::Held, Exit::SomeFailed, Exit::Changes]), 5);
        assert_eq!(together(&[Exit::SomeFailed, Exit::Failed]), 1);
    }
}
