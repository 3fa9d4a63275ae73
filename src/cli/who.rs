//! Who decides: the user of the operating system who runs the command, recorded with what is decided.

use std::os::unix::fs::MetadataExt;

use jiff::Timestamp;

use super::args::Why;
use crate::store::ByHand;

/// `ann`, or `root (ann)` under sudo. Asked of the process itself, not of variables, which anybody can set.
pub fn who() -> String {
    let Ok(process) = std::fs::metadata("/proc/self") else { return "unknown user".to_owned() };
    let user = name(process.uid()).unwrap_or_else(|| format!("user {}", process.uid()));
    match std::env::var("SUDO_USER") {
        Ok(caller) if process.uid() == 0 && caller != user => format!("{user} ({caller})"),
        _ => user,
    }
}

/// Who decides now, and why.
pub fn by_hand(why: &Why) -> ByHand {
    ByHand { who: who(), reason: why.reason.clone(), now_second: Timestamp::now().as_second() }
}

fn name(uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}
