//! Serves a world over HTTP: the one place of this room that knows sockets.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::extract::Request as HttpRequest;
use axum::extract::State;
use axum::extract::connect_info::Connected;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::response::Response;
use axum::serve::IncomingStream;
use axum::serve::Listener;
use futures_util::StreamExt;
use futures_util::stream;
use jiff::fmt::rfc2822::DateTimePrinter;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::control;
use super::exchange::Answer;
use super::exchange::Content;
use super::exchange::Delivery;
use super::exchange::Request;
use super::world::World;

/// The largest body that is read: a list of changes for a large rehearsal fits well.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// Serves the API of the world's flavour and `/_control` on one listener until `stop` is cancelled. Connections
/// that are open then may finish their request.
pub async fn serve(world: World, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let router = Router::new().fallback(respond).with_state(world);
    let service = router.into_make_service_with_connect_info::<Peer>();
    let served = axum::serve(Door(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        ended = served.into_future() => ended,
        // A client that keeps an idle connection open must not hold the stop up.
        () = late(stop) => Ok(()),
    }
}

async fn late(stop: CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn respond(
    State(world): State<World>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let base = format!("http://{host}");
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let request = Request::new(parts.method.as_str(), &base, &target, parts.headers, body);
    if request.path.first().is_some_and(|first| first == "_control") && !peer.address.ip().is_loopback() {
        return plain(StatusCode::FORBIDDEN);
    }
    let _in_flight = world.enter();
    let answer = control::respond(&world, &request).unwrap_or_else(|| world.respond(&request));
    if answer.delay_milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(answer.delay_milliseconds)).await;
    }
    if answer.delivery == Delivery::Dropped {
        peer.broken.store(true, Ordering::Relaxed);
    }
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&world.now());
    response(answer, date.ok())
}

fn response(answer: Answer, date: Option<String>) -> Response {
    let (form, bytes) = match answer.content {
        Content::Html(text) => (Some("text/html"), Bytes::from_static(text.as_bytes())),
        Content::Empty => (None, Bytes::new()),
        Content::Text(text) => (Some("text/plain"), Bytes::from(text)),
        Content::Json(value) => (None, Bytes::from(value.to_string())),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A service whose clock is wrong says so in every answer.
    let own_date = answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"));
    let date = date.filter(|_| !own_date).map(|date| ("date", date));
    let form = form.map(|form| ("content-type", form.to_owned()));
    for (name, value) in answer.headers.into_iter().chain(date).chain(form) {
        if let (Ok(name), Ok(value)) = (axum::http::HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = match answer.delivery {
        Delivery::Truncated => {
            // The length promises all of it; the connection ends after half.
            response.headers_mut().insert("content-length", HeaderValue::from(bytes.len()));
            let half = stream::iter([Ok(bytes.slice(..bytes.len() / 2))]);
            // The pause lets the first half out before the error ends everything.
            let end = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            });
            Body::from_stream(half.chain(end))
        }
        Delivery::Slow(milliseconds) => {
            let (first, rest) = (bytes.slice(..bytes.len() / 2), bytes.slice(bytes.len() / 2..));
            let rest = stream::once(async move {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                Ok::<Bytes, io::Error>(rest)
            });
            Body::from_stream(stream::iter([Ok(first)]).chain(rest))
        }
        Delivery::Cut => Body::from(bytes.slice(..bytes.len() / 2)),
        Delivery::Whole | Delivery::Dropped => Body::from(bytes),
    };
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Who is connected, and the switch that breaks the connection.
#[derive(Clone, Debug)]
struct Peer {
    address: SocketAddr,
    broken: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Accepts connections that can be broken from within a request.
struct Door(TcpListener);

impl Listener for Door {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let broken = Arc::new(AtomicBool::new(false));
        (Connection { stream, broken: broken.clone() }, Peer { address, broken })
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.0.local_addr()?, broken: Arc::default() })
    }
}

struct Connection {
    stream: TcpStream,
    broken: Arc<AtomicBool>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

/// A broken connection takes no answer: writing fails, and the server closes it.
impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionReset)));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
