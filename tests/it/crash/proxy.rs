//! A wire between the binary and a service: it kills the sender when a given request comes by.

use std::sync::Arc;
use std::sync::Mutex;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// When the sender dies, seen from the request that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It never arrives.
    Before,
    /// It is carried out, and nobody is left for the answer.
    After,
    /// It arrives when the sender has been dead for a while.
    Late,
}

/// The request that is meant, counted from when the trap was set.
#[derive(Clone, Copy, Debug)]
pub struct Trap {
    pub nth: u64,
    pub when: When,
    /// Only requests that write count.
    pub writes: bool,
}

#[derive(Default)]
pub struct Wire {
    trap: Mutex<Option<Trap>>,
    /// The sender is to be killed now.
    pub sprung: Notify,
    /// It is dead.
    pub dead: Notify,
}

impl Wire {
    /// A wire to this service, and where it begins.
    pub async fn to(service: String) -> (Arc<Wire>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let wire = Arc::new(Wire::default());
        let ours = wire.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                if let Ok(to) = TcpStream::connect(&service).await {
                    tokio::spawn(ours.clone().carry(from, to));
                }
            }
        });
        (wire, address)
    }

    pub fn set(&self, trap: Option<Trap>) {
        *self.trap.lock().expect("nobody panics with it") = trap;
    }

    async fn carry(self: Arc<Wire>, from: TcpStream, to: TcpStream) {
        let (mut from_read, mut from_write) = from.into_split();
        let (mut to_read, mut to_write) = to.into_split();
        let back = tokio::spawn(async move {
            tokio::io::copy(&mut to_read, &mut from_write).await.ok();
        });
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from_read.read(&mut buffer).await {
            let part = &buffer[..count];
            match self.springs(part) {
                None => {
                    if to_write.write_all(part).await.is_err() {
                        break;
                    }
                }
                Some(When::Before) => {
                    self.kill().await;
                    break;
                }
                Some(When::After) => {
                    // Nobody hears the answer.
                    back.abort();
                    to_write.write_all(part).await.ok();
                    self.kill().await;
                    // What of it was not read yet goes on.
                    while let Ok(count @ 1..) = from_read.read(&mut buffer).await {
                        to_write.write_all(&buffer[..count]).await.ok();
                    }
                    break;
                }
                Some(When::Late) => {
                    back.abort();
                    self.kill().await;
                    let mut rest = part.to_vec();
                    from_read.read_to_end(&mut rest).await.ok();
                    tokio::time::sleep(LATE).await;
                    to_write.write_all(&rest).await.ok();
                    // The service has to read it before the connection is gone.
                    tokio::time::sleep(LATE).await;
                    break;
                }
            }
        }
        drop(to_write);
        back.await.ok();
    }

    async fn kill(&self) {
        self.sprung.notify_one();
        self.dead.notified().await;
    }

    /// Requests come one after the other on a connection, so that what begins with a method begins one.
    fn springs(&self, part: &[u8]) -> Option<When> {
        let writes =
            [&b"POST /"[..], b"PATCH /", b"PUT /", b"DELETE /"].iter().any(|word| part.starts_with(word));
        if !writes && !part.starts_with(b"GET /") {
            return None;
        }
        let mut trap = self.trap.lock().expect("nobody panics with it");
        let set = trap.as_mut().filter(|set| writes || !set.writes)?;
        set.nth = set.nth.saturating_sub(1);
        let when = set.when;
        (set.nth == 0).then(|| {
            *trap = None;
            when
        })
    }
}

/// Well within the second that the settings of a run give a request.
const LATE: std::time::Duration = std::time::Duration::from_millis(300);
