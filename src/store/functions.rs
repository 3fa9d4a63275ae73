//! What our SQL asks Rust: the one case folding, and times as instants. Registered on every connection, with the
//! settings that it works under.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::functions::Context;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;

use super::Sql;
use crate::scim::fold;

/// `rosterd_fold(text)`, `rosterd_ends(text, end)`, `rosterd_instant(dateTime)` and `rosterd_time(milliseconds)`; all
/// give NULL for NULL. What is no text has no case.
pub(super) fn register(connection: &Connection) -> Sql<()> {
    super::settings::prepare(connection)?;
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("rosterd_fold", 1, flags, |context| match text(context, 0) {
        Some(text) => Ok(Value::Text(fold(text))),
        None => context.get(0),
    })?;
    connection.create_scalar_function("rosterd_ends", 2, flags, |context| {
        Ok(text(context, 0).zip(text(context, 1)).map(|(text, end)| text.ends_with(end)))
    })?;
    connection.create_scalar_function("rosterd_instant", 1, flags, |context| {
        Ok(text(context, 0).and_then(instant))
    })?;
    connection.create_scalar_function("rosterd_time", 1, flags, |context| {
        let milliseconds: Option<i64> = context.get(0)?;
        Ok(milliseconds.and_then(|at| Timestamp::from_millisecond(at).ok()).map(|at| format!("{at:.3}")))
    })
}

fn text<'a>(context: &'a Context<'_>, at: usize) -> Option<&'a str> {
    context.get_raw(at).as_str_or_null().ok().flatten()
}

/// A dateTime as a text that sorts as its instant; `None` where it is none.
pub(super) fn instant(text: &str) -> Option<String> {
    /// Before the first year that a `Timestamp` can have, so that no number is below zero.
    const BEGINNING: i64 = 400_000_000_000;
    let nanoseconds = crate::scim::instant(text)?.as_nanosecond() + i128::from(BEGINNING) * 1_000_000_000;
    Some(format!("{nanoseconds:024}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_they_follow_each_other() {
        let times = [
            "-001000-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999999Z",
            "1970-01-01T00:00:00Z",
            "2024-05-01T12:00:00+02:00",
            "2024-05-01T10:00:00.000000001Z",
        ];
        let keys: Vec<_> = times.iter().map(|time| instant(time).expect(time)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(instant("2024-05-01T12:00:00+02:00"), instant("2024-05-01T10:00:00Z"));
        assert_eq!(instant("yesterday"), None);
    }

    #[test]
    fn sql_folds_as_rust_does() {
        let db = Connection::open_in_memory().expect("a database");
        register(&db).expect("the functions");
        let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Option<String>>(0)).expect(sql);
        assert_eq!(one("SELECT rosterd_fold('ÄRGER')").as_deref(), Some("ärger"));
        assert_eq!(one("SELECT rosterd_fold(NULL)"), None);
        assert_eq!(one("SELECT rosterd_time(1714557600250)").as_deref(), Some("2024-05-01T10:00:00.250Z"));
        assert_eq!(one("SELECT CAST(rosterd_ends('abc', 'bc') AS TEXT)").as_deref(), Some("1"));
    }
}
