//! What opens the simulated org: an API token, and the key of a service app. All of it is public, since nothing but
//! a simulator takes it.

use serde_json::Value;
use serde_json::json;

/// The simulated org's API token.
pub const API_TOKEN: &str = "00simulated-token-not-a-secret-0000000000";
/// Its id, for `/api-tokens/{id}`.
pub(super) const API_TOKEN_ID: &str = "00T5imulatedToken001";

/// The client id of the simulated service app (okta.md section 2.2).
pub const OKTA_CLIENT_ID: &str = "0oa5im0000client0001";

/// The id of its registered key.
pub const OKTA_CLIENT_KID: &str = "simulated-key";

/// The private half of its registered key (ES256). More keys are registered by the knob `okta.service_keys`.
pub const OKTA_CLIENT_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfEVKAeeW5rQFrY9F
9iYM2za5olRU7l0dx69/GxCRYS+hRANCAAS8SyvUnFg4gTSendTeezX0V8LSwehX
o772ZRre32gkxaFXSbJ17LSNuN76br7U0jylwlJJAV3gnZGeiWNWOace
-----END PRIVATE KEY-----
";

/// The public half of `OKTA_CLIENT_KEY`.
pub(super) fn public_key() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "kid": OKTA_CLIENT_KID,
        "x": "vEsr1JxYOIE0np3U3ns19FfC0sHoV6O-9mUa3t9oJMU",
        "y": "oVdJsnXstI243vpuvtTSPKXCUkkBXeCdkZ6JY1Y5px4",
    })
}

/// The scopes that reading takes (okta.md section 2.2); the service app has all of them unless a knob says otherwise.
pub(super) const READ_SCOPES: [&str; 8] = [
    "okta.apps.read",
    "okta.groups.read",
    "okta.users.read",
    "okta.logs.read",
    "okta.orgs.read",
    "okta.schemas.read",
    "okta.profileMappings.read",
    "okta.apiTokens.read",
];
