//! Signatures of webhooks, by Standard Webhooks (<https://www.standardwebhooks.com>, "Signature scheme").

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::client::Secret;

const PREFIX: &str = "whsec_";
/// What the specification asks of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that is shared with a receiver.
#[derive(Clone)]
pub struct WebhookSecret(hmac::Key);

/// The text is none; it is not repeated (P11).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no secret of a webhook; put down `whsec_` and the base64 of 24 to 64 random bytes")]
pub struct NoWebhookSecret;

impl WebhookSecret {
    pub fn new(secret: &Secret) -> Result<WebhookSecret, NoWebhookSecret> {
        let encoded = secret.reveal().strip_prefix(PREFIX).ok_or(NoWebhookSecret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoWebhookSecret)?;
        if !BYTES.contains(&bytes.len()) {
            return Err(NoWebhookSecret);
        }
        Ok(WebhookSecret(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

/// The value of `webhook-signature`: one signature a secret, so that a receiver that knows either of two is content.
pub fn signature(secrets: &[WebhookSecret], id: &str, second: i64, body: &str) -> String {
    let signed = format!("{id}.{second}.{body}");
    let one =
        |secret: &WebhookSecret| format!("v1,{}", STANDARD.encode(hmac::sign(&secret.0, signed.as_bytes())));
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Result<WebhookSecret, NoWebhookSecret> {
        WebhookSecret::new(&Secret::new(text))
    }

    /// The vector that the specification's own libraries test.
    #[test]
    fn the_published_vector_has_the_published_signature() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature(std::slice::from_ref(&secret), id, 1_614_265_330, body), expected);
        let other = WebhookSecret::new(&Secret::new(format!("whsec_{}", STANDARD.encode([7; 32]))));
        let both = signature(&[other.expect("a secret"), secret], id, 1_614_265_330, body);
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.ends_with(&format!(" {expected}")), "{both}");
    }

    #[test]
    fn what_is_no_secret_of_a_webhook_is_refused_and_not_repeated() {
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for text in ["", "hunter2", "whsec_", "whsec_???", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &short, &long]
        {
            let error = secret(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("; put down `whsec_`") && !error.contains("hunter2"), "{text}: {error}");
        }
    }
}
