//! Our service under a conformance client that is not ours: `scim2-tester` from PyPI, through
//! `tests/foreign/scim_tester.py`, against a daemon that is started here, in the strict dialect.
//!
//! `ROSTERD_SCIM2_TESTER` names a Python that has it (`pip install 'scim2-tester[httpx2]'`); else
//! `target/scim2-tester/bin/python`, where `.ci/run` puts it. Without it this test says that it was skipped, or fails
//! where `ROSTERD_SCIM2_TESTER_REQUIRED` is set.

use std::path::PathBuf;
use std::process::Command;

use crate::support::host::Host;
use crate::support::served::Daemon;

/// A Python with the tester, or `None` after saying that there is none.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("ROSTERD_SCIM2_TESTER")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/scim2-tester/bin/python"));
    if python.exists() {
        return Some(python);
    }
    assert!(
        std::env::var_os("ROSTERD_SCIM2_TESTER_REQUIRED").is_none(),
        "{} is not there, and ROSTERD_SCIM2_TESTER_REQUIRED is set",
        python.display()
    );
    eprintln!(
        "skipped: no scim2-tester (pip install 'scim2-tester[httpx2]', then name its python in ROSTERD_SCIM2_TESTER)"
    );
    None
}

#[test]
fn every_check_of_a_conformance_client_that_is_not_ours_succeeds() {
    let Some(python) = python() else { return };
    let host = Host::new();
    // It asks hundreds of times a second, which the usual limits do not let a client do.
    host.settings("\n[scim]\nrate = 10000\nburst = 10000\n");
    let made = host.run(&[
        "token",
        "create",
        "--workspace",
        "main",
        "--dialect",
        "strict",
        "--reason",
        "conformance",
    ]);
    assert_eq!(made.code, 0, "{}", made.err);
    let daemon = Daemon::start(&host);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/scim_tester.py");
    let told = Command::new(python)
        .arg(script)
        .arg(format!("{}/scim/v2", daemon.root))
        .env("ROSTERD_TOKEN", made.out.trim())
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{text}");
    let checks: u32 = text.trim().trim_end_matches(" success").parse().expect("only a count of successes");
    assert!(checks > 100, "{text}");
}
