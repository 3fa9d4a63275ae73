//! One polite outbound HTTP client: tokens, retries, limits, secrets. The only door to reqwest and oauth2.

mod secret;

pub use secret::Secret;
pub use secret::SecretError;
