//! One request on its way: the profile's headers, and redirects that stay where they are (SCIM reference, O13).

use http::Method;
use serde_json::Value;
use url::Url;

use super::RemoteTarget;
use super::TargetError;
use super::fate;
use crate::client::Answer;
use crate::client::ClientError;
use crate::client::Request;

/// A service that redirects more often than this goes in circles.
const REDIRECTS_MAX: usize = 3;

impl RemoteTarget {
    /// A GET below the base, with its place for messages.
    pub(super) async fn read(&self, path_and_query: &str) -> Result<(String, Answer), TargetError> {
        let url = self.client.url(path_and_query).map_err(fate::unread)?;
        let request = self.request(Method::GET, url, None);
        let place = request.place();
        let answer = self.exchange(request).await.map_err(fate::unread)?;
        Ok((place, answer))
    }

    pub(super) fn request(&self, method: Method, url: Url, body: Option<Value>) -> Request {
        let profile = &self.known.profile;
        let request = match body {
            Some(body) => Request::json(method, url, body),
            None => Request { method, ..Request::get(url) },
        };
        let request = Request { content_type: profile.media_type.text(), ..request };
        profile.extra_headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Sends it, and again where the service says that it is elsewhere on the same host (307, 308). Anywhere else
    /// nothing is sent, the token least of all.
    pub(super) async fn exchange(&self, mut request: Request) -> Result<Answer, ClientError> {
        for _ in 0..REDIRECTS_MAX {
            let answer = self.client.send(request.clone()).await?;
            let elsewhere = matches!(answer.status, 307 | 308).then(|| answer.header("location")).flatten();
            let Some(location) = elsewhere else { return Ok(answer) };
            let url = request.url.join(location).map_or_else(|_| location.to_owned(), String::from);
            request.url = self.client.follow(&url)?;
        }
        self.client.send(request).await
    }
}
