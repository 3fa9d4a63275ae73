//! Why a request has no answer. The texts name method, host and path, never a query, a body or a secret.

/// What the caller does differs by variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The token endpoint refused our credential, or TLS cannot be had: a person has to act.
    #[error("{what}; {cure}")]
    Denied { what: String, cure: String },
    /// Out of attempts, throttled beyond the longest wait, no connection, no certificates of authorities.
    #[error("{what}")]
    Unavailable { what: String },
    /// Sent, and no answer came: it may or may not have been done (`Repeat::Once` only).
    #[error("{what}; it may or may not have been done")]
    Unknown { what: String },
    /// An address that leaves the configured service.
    #[error("{what}")]
    ForeignHost { what: String },
    /// A body over the limit.
    #[error("{what}")]
    TooLarge { what: String },
    /// A setting, an address or a header that cannot be.
    #[error("{what}")]
    Invalid { what: String },
}
