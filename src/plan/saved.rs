//! A plan as a file: JSON Lines with a hash over all of them at the end, so that it can be looked at today and applied
//! tomorrow (P8). Lines in, values out; nothing here opens a file.
//!
//! ```text
//! {"rosterd_plan":1,"job":"acme",…}     the head
//! {"cause":{…},"id":"9d2f01aa"}         one line a cause
//! {"change":{…},"key":"…","needs":"…"}  one line a change, in the order of the plan
//! {"changes":142,"hash":"…"}            the end
//! ```

use serde::Deserialize;
use serde::Serialize;

use super::Act;
use super::Cause;
use super::CauseId;
use super::Change;
use super::Class;
use crate::model::SourceId;
use crate::scim::Kind;

/// The form of the file. A reader refuses forms that it does not know.
pub const FORM: u32 = 1;

/// Between what the plan was made, and by which rules. Not when: the same inputs give the same file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedHead {
    #[serde(rename = "rosterd_plan")]
    pub form: u32,
    pub job: String,
    pub source: String,
    pub target: String,
    /// The digest that the report of the same plan shows.
    pub digest: String,
    /// The digest of the rules that it was made with.
    pub rules: String,
}

#[derive(Serialize)]
struct CauseLine<'a> {
    cause: &'a Cause,
    id: CauseId,
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    change: &'a Change,
    key: String,
    needs: String,
}

#[derive(Serialize, Deserialize)]
struct EndLine {
    changes: u64,
    hash: String,
}

/// One change of a saved plan, as far as it is looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedChange {
    pub class: Class,
    pub kind: Kind,
    pub source: SourceId,
    pub name: String,
    /// What it does, and why.
    pub key: u64,
    /// What it relies on: the account, team or membership as the target had accepted it.
    pub needs: u64,
    /// What it is about, whatever it does.
    pub subject: u64,
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedLine {
    Head(Box<SavedHead>),
    Cause,
    Change(Box<SavedChange>),
    End,
}

/// Makes the lines of a plan, each with its line feed.
#[derive(Default)]
pub struct Saving {
    hash: blake3::Hasher,
    changes: u64,
}

impl Saving {
    pub fn head(&mut self, head: &SavedHead) -> String {
        self.line(head)
    }

    pub fn cause(&mut self, cause: &Cause) -> String {
        self.line(&CauseLine { cause, id: cause.id() })
    }

    /// `change` as it may be shown; `key` and `needs` are of the change as it is.
    pub fn change(&mut self, change: &Change, key: u64, needs: u64) -> String {
        self.changes += 1;
        self.line(&ChangeLine { change, key: hex(key), needs: hex(needs) })
    }

    pub fn end(self) -> String {
        let end = EndLine { changes: self.changes, hash: self.hash.finalize().to_hex()[..32].to_owned() };
        text(&end)
    }

    fn line(&mut self, value: &impl Serialize) -> String {
        let line = text(value);
        self.hash.update(line.as_bytes());
        line
    }
}

fn text(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("a plan is plain values with text keys");
    line.push('\n');
    line
}

/// Why a file is no plan that can be trusted. The number is the line's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    #[error("line {0} is not a line of a saved plan; make the file anew with: rosterd plan JOB --out FILE")]
    Line(u64),
    #[error("line 1 says that the plan has form {0}, and this version reads form {FORM}; make the plan anew")]
    Form(u32),
    #[error("it ends at line {0} without the line that closes a plan: it was cut off; make the plan anew")]
    Cut(u64),
    #[error(
        "the hash in line {0} is not that of the lines before it: somebody changed the plan; make it anew"
    )]
    Changed(u64),
}

/// Reads a plan line by line, and says at the end whether it is as it was made.
#[derive(Default)]
pub struct Loading {
    hash: blake3::Hasher,
    lines: u64,
    changes: u64,
    has_ended: bool,
}

impl Loading {
    /// `line` without its line feed.
    pub fn line(&mut self, line: &str) -> Result<SavedLine, SavedError> {
        self.lines += 1;
        let number = self.lines;
        let bad = || SavedError::Line(number);
        if self.has_ended {
            return Err(bad());
        }
        if self.lines == 1 {
            let head: SavedHead = serde_json::from_str(line).map_err(|_| bad())?;
            if head.form != FORM {
                return Err(SavedError::Form(head.form));
            }
            self.add(line);
            return Ok(SavedLine::Head(Box::new(head)));
        }
        if let Ok(end) = serde_json::from_str::<EndLine>(line) {
            self.has_ended = true;
            let hash = self.hash.finalize().to_hex();
            return match end.hash == hash[..32] && end.changes == self.changes {
                true => Ok(SavedLine::End),
                false => Err(SavedError::Changed(self.lines)),
            };
        }
        self.add(line);
        let value: serde_json::Value = serde_json::from_str(line).map_err(|_| bad())?;
        if value.get("cause").is_some() {
            return Ok(SavedLine::Cause);
        }
        self.changes += 1;
        let read: Read = serde_json::from_value(value).map_err(|_| bad())?;
        let change = read.saved().ok_or_else(bad)?;
        Ok(SavedLine::Change(Box::new(change)))
    }

    /// Whether the plan was whole.
    pub fn end(&self) -> Result<(), SavedError> {
        if self.has_ended { Ok(()) } else { Err(SavedError::Cut(self.lines)) }
    }

    fn add(&mut self, line: &str) {
        self.hash.update(line.as_bytes());
        self.hash.update(b"\n");
    }
}

#[derive(Deserialize)]
struct Read {
    change: ReadChange,
    key: String,
    needs: String,
}

#[derive(Deserialize)]
struct ReadChange {
    class: Class,
    kind: Kind,
    source: SourceId,
    name: String,
    act: serde_json::Value,
}

impl Read {
    fn saved(self) -> Option<SavedChange> {
        let ReadChange { class, kind, source, name, act } = self.change;
        let part = |name: &str| act.get(name).and_then(serde_json::Value::as_str);
        let subject = subject(kind, &source, part("person").or_else(|| part("path")));
        let (key, needs) = (number(&self.key)?, number(&self.needs)?);
        Some(SavedChange { class, kind, source, name, key, needs, subject })
    }
}

/// What a change is about, whatever it does: a person, a group, a membership, a reference.
pub fn subject_of(change: &Change) -> u64 {
    let part = match &change.act {
        Act::AddMember { person, .. } | Act::RemoveMember { person, .. } => Some(person.0.as_str()),
        Act::Refer { path, .. } => Some(path.as_str()),
        _ => None,
    };
    subject(change.kind, &change.source, part)
}

fn subject(kind: Kind, source: &SourceId, part: Option<&str>) -> u64 {
    let text = serde_json::to_vec(&(kind, source, part)).expect("plain values");
    short(&text)
}

/// The first 64 bits of a hash. A plan has at most a few million changes, and a file is not an attack: who can write
/// it can apply it.
pub fn short(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    u64::from_be_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

fn hex(number: u64) -> String {
    format!("{number:016x}")
}

fn number(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten()
}
