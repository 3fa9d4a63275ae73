//! Values of ours as columns: enums as their words, structures as JSON; a damaged one names its column.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;
use rusqlite::types::ValueRef;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Sql;

/// The word of a unit variant, as serde writes it.
pub(super) fn text<T: Serialize>(value: &T) -> Sql<String> {
    match serde_json::to_value(value).map_err(unwritable)? {
        Value::String(word) => Ok(word),
        other => Ok(other.to_string()),
    }
}

pub(super) fn json<T: Serialize>(value: &T) -> Sql<String> {
    serde_json::to_string(value).map_err(unwritable)
}

/// A unit variant by its word.
pub(super) fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Sql<T> {
    let word: String = row.get(column)?;
    serde_json::from_value(Value::String(word)).map_err(|error| unreadable(column, error))
}

pub(super) fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Sql<T> {
    let json = row.get_ref(column)?.as_str().map_err(|error| unreadable(column, error))?;
    serde_json::from_str(json).map_err(|error| unreadable(column, error))
}

pub(super) fn parsed_or_none<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Sql<Option<T>> {
    match row.get_ref(column)?.as_str_or_null().map_err(|error| unreadable(column, error))? {
        Some(json) => serde_json::from_str(json).map(Some).map_err(|error| unreadable(column, error)),
        None => Ok(None),
    }
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// A time that is kept as milliseconds.
pub(super) fn millisecond(row: &Row<'_>, column: usize) -> Sql<Timestamp> {
    let millisecond: i64 = row.get(column)?;
    Timestamp::from_millisecond(millisecond)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}

pub(super) fn millisecond_or_none(row: &Row<'_>, column: usize) -> Sql<Option<Timestamp>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => millisecond(row, column).map(Some),
    }
}
