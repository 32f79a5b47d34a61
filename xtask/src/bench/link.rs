//! The way to the cloud: none at all, a far one, or one that is throttled at its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Half a round trip.
const ONE_WAY: Duration = Duration::from_millis(30);

/// 200 Mbit/s.
const BYTES_PER_SECOND: f64 = 25e6;

/// What a sender may have under way: more than the link holds in a round trip.
const WINDOW: usize = 256;

/// A way to the cloud.
#[derive(Clone, Copy)]
pub(super) enum Link {
    /// The same machine.
    Loopback,
    /// A round trip of 60 ms, and 200 Mbit/s in each direction.
    Far,
    /// The same machine, but one S3 request in twenty is answered with 503 `SlowDown`.
    Throttled,
}

impl Link {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Far => "60 ms, 200 Mbit/s",
            Self::Throttled => "5 % SlowDown",
        }
    }
}

/// A proxy that takes as long as a link would. Stopped when it goes out of scope.
pub(super) struct Proxy {
    address: String,
    _runtime: Runtime,
}

impl Proxy {
    /// Opens a way to the server at this address.
    pub(super) fn open(server: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("open the link")?;
        let address = format!("http://{}", listener.local_addr()?);
        let server = server.trim_start_matches("http://").to_owned();
        drop(runtime.spawn(accept(listener, server)));
        Ok(Self { address, _runtime: runtime })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

async fn accept(listener: TcpListener, server: String) {
    let (up, down) = (Arc::new(Pipe::default()), Arc::new(Pipe::default()));
    let mut open = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        let Ok(server) = TcpStream::connect(&server).await else { continue };
        drop((client.set_nodelay(true), server.set_nodelay(true)));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        // The handshake of a new connection takes a round trip before anything can be said.
        open.spawn(Arc::clone(&up).carry(from_client, to_server, Instant::now() + 2 * ONE_WAY));
        open.spawn(Arc::clone(&down).carry(from_server, to_client, Instant::now()));
    }
}

/// One direction of the link, which all connections share.
#[derive(Default)]
struct Pipe(Mutex<Option<Instant>>);

impl Pipe {
    /// When so many bytes are through, should they be sent now.
    fn through(&self, bytes: usize) -> Instant {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_precision_loss, reason = "a few kilobytes")]
        let takes = Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND);
        let done = free.map_or_else(Instant::now, |free| free.max(Instant::now())) + takes;
        *free = Some(done);
        done
    }

    async fn carry(self: Arc<Self>, mut from: impl AsyncRead + Unpin, to: impl AsyncWrite + Unpin, open: Instant) {
        let (send, arrive) = mpsc::channel(WINDOW);
        let read = async {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(got) = from.read(&mut buffer).await {
                let chunk = buffer.get(..got).filter(|chunk| !chunk.is_empty());
                let Some(chunk) = chunk else { break };
                let at = self.through(got).max(open) + ONE_WAY;
                if send.send((at, chunk.to_vec())).await.is_err() {
                    break;
                }
            }
            drop(send);
        };
        tokio::join!(read, deliver(arrive, to));
    }
}

async fn deliver(mut arrive: mpsc::Receiver<(Instant, Vec<u8>)>, mut to: impl AsyncWrite + Unpin) {
    while let Some((at, chunk)) = arrive.recv().await {
        tokio::time::sleep_until(at.into()).await;
        if to.write_all(&chunk).await.is_err() {
            return;
        }
    }
    drop(to.shutdown().await);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_far_answer_takes_a_handshake_and_a_round_trip_and_much_takes_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = [0; 1];
            while stream.read_exact(&mut heard).is_ok() {
                stream.write_all(&vec![0; usize::from(heard[0]) << 20]).unwrap();
                stream.write_all(&[1]).unwrap();
            }
        });
        let proxy = Proxy::open(&format!("http://{server}")).unwrap();
        let mut stream = TcpStream::connect(proxy.address().trim_start_matches("http://")).unwrap();
        let mut ask = |mebibytes: u8| {
            let started = Instant::now();
            stream.write_all(&[mebibytes]).unwrap();
            let mut answer = vec![0; (usize::from(mebibytes) << 20) + 1];
            stream.read_exact(&mut answer).unwrap();
            started.elapsed()
        };
        assert!(ask(0) >= 4 * ONE_WAY);
        assert!(ask(0) >= 2 * ONE_WAY);
        // 4 MiB at 200 Mbit/s are 168 ms.
        assert!(ask(4) >= 2 * ONE_WAY + Duration::from_millis(160));
    }
}
