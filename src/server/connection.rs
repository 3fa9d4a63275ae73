//! Connections: how many, how long they may take to say what they want, and an Error message where hyper itself
//! would answer with nothing (a head that is too long, or no HTTP).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::around::REQUEST_ID;
use super::settings::Limits;
use crate::scim::Error;

/// How long requests that are under way may take to end when the daemon stops.
const GRACE: Duration = Duration::from_millis(1500);
/// After a failure to accept (too many open files) somebody else may close one.
const PAUSE: Duration = Duration::from_millis(100);
/// Beside the URL, which has a limit of its own, what a head and one read of a body may hold.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves until `stop`, then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) -> io::Result<()> {
    let seats = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    while let Some((stream, seat)) = stop.run_until_cancelled(accept(&listener, &seats)).await {
        let ended = stop.clone().cancelled_owned();
        connections.spawn(talk(stream, seat, router.clone(), limits, ended));
    }
    connections.close();
    // Who takes longer is cut off: stopping takes two seconds at most.
    let _ = tokio::time::timeout(GRACE, connections.wait()).await;
    Ok(())
}

/// The next connection, as soon as there is a seat for it.
async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // `None` would mean that the seats were closed, which nobody does.
    let seat = seats.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, seat),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn talk(
    stream: TcpStream,
    _seat: Option<OwnedSemaphorePermit>,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    // Answers are written whole, so waiting for more to send with them only costs time.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection sends in its own time");
    }
    let line = Line { stream, head_lines: limits.head_lines, own: None };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait)
        .max_headers(limits.head_lines)
        .max_buf_size(BUFFER_BYTES + limits.url_bytes)
        .serve_connection(TokioIo::new(line), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let mut stop = std::pin::pin!(stop);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.as_mut() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The connection as hyper sees it. Every answer of ours has a request id; one that has none is hyper's own, a bare
/// status, and gets a body on its way out (RFC 7644 section 3.12).
struct Line {
    stream: TcpStream,
    /// Lines that a head may have.
    head_lines: usize,
    own: Option<Own>,
}

/// The answer that goes out instead.
struct Own {
    text: Vec<u8>,
    written: usize,
    /// How much hyper is told to have written.
    claimed: usize,
}

impl Own {
    /// Of what hyper is about to write; `None` where it is an answer of ours, or a part of one.
    fn of(buffer: &[u8], head_lines: usize) -> Option<Own> {
        if !buffer.starts_with(b"HTTP/1.1 4") {
            return None;
        }
        let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(buffer.get(..end)?).ok()?;
        if head.contains(REQUEST_ID) {
            return None;
        }
        let status = head.get(9..12)?.parse().ok()?;
        let detail = match status {
            414 => "the URL is too long (setting scim.url_bytes)".to_owned(),
            431 => format!(
                "the head of the request is larger than {BUFFER_BYTES} bytes, or has more than {head_lines} lines (setting \
                 scim.head_lines)"
            ),
            _ => "this is no HTTP request".to_owned(),
        };
        let body = Error::new(status, detail).body().to_string();
        let (status_line, _) = head.split_once("\r\n")?;
        let text = format!(
            "{status_line}\r\ncontent-type: application/scim+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        Some(Own { text: text.into_bytes(), written: 0, claimed: buffer.len() })
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.own.is_none() {
            self.own = Own::of(buffer, self.head_lines);
        }
        let Line { stream, own, .. } = &mut *self;
        let Some(answer) = own else { return Pin::new(stream).poll_write(context, buffer) };
        while let Some(rest) = answer.text.get(answer.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => answer.written += count,
            }
        }
        let claimed = answer.claimed;
        *own = None;
        Poll::Ready(Ok(claimed))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_of_hyper_itself_gets_a_body() {
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let own = Own::of(bare, 100).map(|own| String::from_utf8_lossy(&own.text).into_owned());
        let own = own.expect("a body");
        assert!(own.starts_with(
            "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/scim+json\r\n"
        ));
        assert!(own.contains("\"status\":\"431\""), "{own}");
        for ours in [
            "HTTP/1.1 404 Not Found\r\nx-request-id: 1-1\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "{\"text\": \"HTTP/1.1 4\"}",
            "",
        ] {
            assert!(Own::of(ours.as_bytes(), 100).is_none(), "{ours}");
        }
    }
}
