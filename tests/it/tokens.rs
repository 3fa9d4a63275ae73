//! Push tokens: what is kept of them, how they follow one another, when they end (SCIM reference, section 14: S1, S2).

use std::time::Duration;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::store::NewToken;
use rosterd::store::NotRotated;
use rosterd::store::Rotation;
use rosterd::store::Store;
use rosterd::store::Token;
use rosterd::store::TokenState;
use rosterd::store::TokenWish;
use tempfile::TempDir;

const DAY: i64 = 24 * 60;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minute * 60).expect("a time")
}

async fn made(store: &Store, tenant: &str, expires: Option<i64>) -> NewToken {
    let wish = TokenWish {
        tenant: tenant.to_owned(),
        expires: expires.map(at),
        rights: "read users:write".parse().expect("rights"),
        denied: vec!["roles".to_owned()],
        ..TokenWish::new("main", Dialect::Strict, "ann", "the new tenant")
    };
    store.create_token(wish, at(0)).await.expect("a token")
}

async fn known(store: &Store, text: &str, minute: i64) -> Option<Token> {
    store.recognise_token(text, "Entra/1.0", at(minute)).await.expect("the store reads")
}

async fn rotated(store: &Store, id: &str, overlap: i64, minute: i64) -> Result<NewToken, NotRotated> {
    let rotation = Rotation {
        overlap: Duration::from_secs(overlap.unsigned_abs() * 60),
        expires: None,
        who: "bob".to_owned(),
        reason: "yearly".to_owned(),
    };
    store.rotate_token(id, rotation, at(minute)).await.expect("the store writes")
}

async fn listed(store: &Store, id: &str) -> Token {
    let all = store.tokens().await.expect("the store reads");
    all.into_iter().find(|token| token.id == id).expect("it is listed")
}

#[tokio::test]
async fn a_token_opens_its_workspace_until_it_is_revoked_or_expires() {
    let store = Store::in_memory().expect("a store");
    let token = made(&store, "entra", Some(100)).await;
    assert!(token.text.starts_with(&format!("rst_{}_", token.id)));
    assert_eq!(token.text.len(), "rst_".len() + 12 + 1 + 64, "256 bits");
    assert!(!format!("{token:?}").contains(&token.text[20..]), "Debug shows the id only");

    let opened = known(&store, &token.text, 1).await.expect("it opens");
    assert_eq!((opened.workspace.as_str(), opened.dialect), ("main", Dialect::Strict));
    let mut wrong = token.text.clone();
    wrong.replace_range(wrong.len() - 1.., if token.text.ends_with('0') { "1" } else { "0" });
    for text in [wrong.as_str(), "", "rst", "rst_", "rst__", "x", &token.text[..20], &token.text[4..]] {
        assert_eq!(known(&store, text, 1).await, None, "{text}");
    }
    assert_eq!(known(&store, &token.text, 100).await, None, "expired");

    assert!(store.revoke_token(&token.id, "bob", "left", at(2)).await.expect("the store writes"));
    assert!(!store.revoke_token(&token.id, "bob", "left", at(3)).await.expect("the store writes"));
    assert_eq!(known(&store, &token.text, 2).await, None, "revoked, at once");
    let token = listed(&store, &token.id).await;
    assert_eq!((token.last_used, token.revoked), (Some(at(1)), Some(at(2))));
    assert_eq!((token.who.as_str(), token.reason.as_str()), ("ann", "the new tenant"));
    assert_eq!(token.state(at(2)), TokenState::Revoked);
}

#[tokio::test]
async fn the_secret_of_a_token_is_in_no_byte_of_the_state() {
    let folder = TempDir::new().expect("a folder");
    let store = Store::open(&folder.path().join("state.db")).expect("a store");
    let token = made(&store, "entra", None).await;
    let secret = token.text.rsplit('_').next().expect("a secret").to_owned();
    known(&store, &token.text, 1).await.expect("it opens");
    for file in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
        let Ok(bytes) = std::fs::read(file.path()) else { continue };
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{}", file.path().display());
    }
}

#[tokio::test]
async fn a_rotated_token_and_its_successor_both_open_until_the_overlap_ends() {
    let store = Store::in_memory().expect("a store");
    let old = made(&store, "entra", Some(365 * DAY)).await;
    let new = rotated(&store, &old.id, 7 * DAY, 30 * DAY).await.expect("a successor");
    for minute in [30 * DAY, 37 * DAY - 1] {
        assert!(known(&store, &old.text, minute).await.is_some());
        assert!(known(&store, &new.text, minute).await.is_some());
    }
    assert!(known(&store, &old.text, 37 * DAY).await.is_none());
    let (old, new) = (listed(&store, &old.id).await, listed(&store, &new.id).await);
    assert_eq!(new.expires, Some(at((30 + 365) * DAY)), "as long as the old one was made for");
    assert_eq!(old.successor, Some((new.id.clone(), at(30 * DAY))));
    let same = |token: &Token| {
        (token.workspace.clone(), token.tenant.clone(), token.dialect, token.rights, token.denied.clone())
    };
    assert_eq!(same(&old), same(&new), "one tenant: it owns what the old one wrote, and may do the same");
    assert_eq!((new.who.as_str(), new.reason.as_str()), ("bob", "yearly"));
}

#[tokio::test]
async fn an_overlap_never_makes_a_token_last_longer() {
    let store = Store::in_memory().expect("a store");
    let old = made(&store, "entra", Some(2 * DAY)).await;
    rotated(&store, &old.id, 7 * DAY, DAY).await.expect("a successor");
    assert_eq!(listed(&store, &old.id).await.expires, Some(at(2 * DAY)));
}

#[tokio::test]
async fn a_tenant_has_two_valid_tokens_at_most() {
    let store = Store::in_memory().expect("a store");
    let first = made(&store, "entra", None).await;
    made(&store, "okta", None).await;
    let second = rotated(&store, &first.id, 7 * DAY, 0).await.expect("a successor");
    let refused = rotated(&store, &second.id, 7 * DAY, DAY).await.expect_err("a third");
    assert_eq!(
        refused.to_string(),
        format!(
            "the tenant `entra` has two valid tokens already, {} and {}; revoke the one that nobody uses (`rosterd token \
             list` shows when each was used last)",
            second.id, first.id
        )
    );
    rotated(&store, &second.id, 7 * DAY, 7 * DAY).await.expect("the first has ended");
    let over = rotated(&store, &first.id, 0, 8 * DAY).await.expect_err("it has ended");
    assert!(matches!(over, NotRotated::Over { state: TokenState::Expired, .. }), "{over}");
    let unknown = rotated(&store, "nobody", 0, 0).await.expect_err("no such token");
    assert_eq!(unknown.to_string(), "there is no token `nobody`; `rosterd token list` shows them");
}

#[tokio::test]
async fn the_last_use_is_kept_to_the_hour_with_the_client_cut_and_printable() {
    let store = Store::in_memory().expect("a store");
    let token = made(&store, "entra", None).await;
    let client = format!("Azure\u{1b}[31m AD\n{}", "x".repeat(500));
    for minute in 1..=60 {
        let seen = store.recognise_token(&token.text, &client, at(minute)).await.expect("the store reads");
        assert!(seen.is_some());
    }
    let seen = listed(&store, &token.id).await;
    assert_eq!(seen.last_used, Some(at(1)), "25 requests a second are not 25 writes");
    let client = seen.client.expect("a client");
    assert!(client.starts_with("Azure[31m ADxxx") && client.len() == 120, "{client}");
    known(&store, &token.text, 61).await.expect("it opens");
    let seen = listed(&store, &token.id).await;
    assert_eq!((seen.last_used, seen.client.as_deref()), (Some(at(61)), Some("Entra/1.0")));
}

#[tokio::test]
async fn the_end_of_a_token_is_told_30_14_and_3_days_ahead() {
    let store = Store::in_memory().expect("a store");
    let token = made(&store, "entra", Some(90 * DAY)).await;
    let token = listed(&store, &token.id).await;
    let mut notes: Vec<(i64, String)> = Vec::new();
    for day in 0..=90 {
        if let Some(note) = token.note(at(day * DAY))
            && notes.last().is_none_or(|(_, last)| *last != note)
        {
            notes.push((day, note));
        }
    }
    let days: Vec<i64> = notes.iter().map(|(day, _)| *day).collect();
    assert_eq!(days, [60, 76, 87]);
    assert_eq!(
        notes[1].1,
        format!(
            "token {0} of tenant entra, workspace main, expires on 2024-02-12, within 14 days; make its successor: \
             rosterd token rotate {0}",
            token.id
        )
    );
    assert_eq!(token.note(at(90 * DAY)), None, "what has ended needs no warning");
}

#[tokio::test]
async fn a_token_with_a_successor_is_told_only_while_it_is_used() {
    let store = Store::in_memory().expect("a store");
    let old = made(&store, "entra", None).await;
    known(&store, &old.text, 0).await.expect("it opens");
    let new = rotated(&store, &old.id, 7 * DAY, DAY).await.expect("a successor");
    assert_eq!(listed(&store, &old.id).await.note(at(2 * DAY)), None);
    known(&store, &old.text, 2 * DAY).await.expect("it opens");
    let note = listed(&store, &old.id).await.note(at(2 * DAY)).expect("a note");
    let cure = format!("; it is still used, so give its client the token that follows it, {}", new.id);
    assert!(note.ends_with(&cure), "{note}");
}
