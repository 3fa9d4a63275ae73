//! `token`: what clap parses of it.

use clap::Args;
use clap::Subcommand;

use super::DialectWord;
use super::Output;
use super::Why;
use crate::store::Rights;

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Makes a token and shows it once; only its hash is kept
    Create(TokenCreate),
    /// Lists tokens: for whom, what they may do, when they were used last and when they end; never the secrets
    List(TokenList),
    /// Makes the token that follows another, and lets the old one end after an overlap
    Rotate(TokenRotate),
    /// Makes a token worth nothing, at once
    Revoke(TokenRevoke),
}

#[derive(Debug, Args)]
pub struct TokenCreate {
    /// The workspace that the token opens
    #[arg(long, value_name = "W")]
    pub workspace: String,
    /// The client that it is for; it owns what it writes, and its tokens follow one another
    #[arg(long, value_name = "T", default_value = "push")]
    pub tenant: String,
    /// `strict`: RFC 7644 to the letter; `tolerant`: forgives what known clients send
    #[arg(long, value_enum, default_value_t)]
    pub dialect: DialectWord,
    /// What it may do, of: read, users:write, groups:write, grants:read, grants:write
    #[arg(long, value_name = "RIGHTS", default_value_t = Rights::PUSH)]
    pub rights: Rights,
    /// Attributes that it may not write, such as roles,entitlements
    #[arg(long, value_name = "ATTR", value_delimiter = ',')]
    pub deny: Vec<String>,
    /// When it ends: so long from now (90d, 12h), or a date or time [default: never]
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct TokenList {
    /// Only those of this workspace
    #[arg(long, value_name = "W")]
    pub workspace: Option<String>,
    /// As aligned text, or one JSON object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
}

#[derive(Debug, Args)]
pub struct TokenRotate {
    /// The token's id: the part of it between the two `_`
    pub id: String,
    /// How long the old one still works
    #[arg(long, value_name = "SPAN", default_value = "7d")]
    pub overlap: String,
    /// When the new one ends [default: it lasts as long as the old one was made for]
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// The token's id: the part of it between the two `_`
    pub id: String,
    #[command(flatten)]
    pub why: Why,
}
