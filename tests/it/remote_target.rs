//! The remote target against services that keep the RFC loosely: each rule of the SCIM reference, section 13,
//! has a test that fails without it.

mod bulk;
mod capabilities;
mod learning;
mod listing;
mod reading;
mod service;
mod writing;
