//! A proxy that is bad for its connections: it cuts, delays and stalls them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::server::Server;
use crate::{between, small_socket};

/// Where connections were cut, and how often they stood still.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) connections: AtomicU64,
    pub(crate) in_request: AtomicU64,
    pub(crate) in_head: AtomicU64,
    pub(crate) in_line: AtomicU64,
    pub(crate) in_chunk_header: AtomicU64,
    pub(crate) stalls: AtomicU64,
}

/// Starts a proxy in front of a server, wherever that is when a client connects.
pub(crate) async fn start(server: impl Server, mut rng: Rng) -> (SocketAddr, Arc<Stats>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stats = Arc::new(Stats::default());
    let counted = Arc::clone(&stats);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            counted.connections.fetch_add(1, Ordering::Relaxed);
            let (rng, stats) = (rng.fork(), Arc::clone(&counted));
            let server = server.address();
            tokio::spawn(async move {
                // Errors are what this is for: the other side has gone.
                drop(carry(client, server, rng, &stats).await);
            });
        }
    });
    (address, stats)
}

/// Carries one connection until a side ends it, or the proxy does.
async fn carry(
    mut client: TcpStream,
    server: SocketAddr,
    mut rng: Rng,
    stats: &Stats,
) -> io::Result<()> {
    let mut server = small_socket()?.connect(server).await?;
    let (requests, responses) = match rng.u8(..16) {
        0 => (Cut::At(rng.usize(1..150)), Cut::Never),
        1 => (Cut::Never, Cut::At(rng.usize(1..150))),
        2..6 => (Cut::Never, Cut::At(rng.usize(150..40_000))),
        6..10 => (Cut::Never, Cut::InChunkHeader(rng.usize(150..40_000))),
        _ => (Cut::Never, Cut::At(rng.usize(40_000..400_000))),
    };
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let cut = tokio::select! {
        cut = pump(from_client, to_server, requests, rng.fork(), stats) => cut?.map(|_| &stats.in_request),
        cut = pump(from_server, to_client, responses, rng.fork(), stats) => cut?.map(|at| match at {
            ..150 => &stats.in_head,
            _ if matches!(responses, Cut::InChunkHeader(_)) => &stats.in_chunk_header,
            _ => &stats.in_line,
        }),
    };
    if let Some(count) = cut {
        count.fetch_add(1, Ordering::Relaxed);
    }
    // Sometimes with a reset, which also takes what is under way.
    if rng.bool() {
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Cut {
    Never,
    /// After so many bytes.
    At(usize),
    /// In the first length of a chunk after so many bytes.
    InChunkHeader(usize),
}

/// Carries one direction. Returns after how many bytes it was cut, or `None` at its end.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    cut: Cut,
    mut rng: Rng,
    stats: &Stats,
) -> io::Result<Option<usize>> {
    let mut buffer = [0; 8 * 1024];
    let mut carried = 0;
    loop {
        let most = rng.usize(1..=buffer.len());
        let len = from.read(&mut buffer[..most]).await?;
        if len == 0 {
            return Ok(None);
        }
        match rng.u16(..1000) {
            0..3 => {
                stats.stalls.fetch_add(1, Ordering::Relaxed);
                sleep(between(&mut rng, 50, 300)).await;
            }
            3..60 => sleep(between(&mut rng, 1, 10)).await,
            _ => {}
        }
        let piece = &buffer[..len];
        let at = match cut {
            Cut::At(at) if at <= carried + len => Some(at - carried),
            Cut::InChunkHeader(from) if from <= carried + len => chunk_header(piece),
            _ => None,
        };
        to.write_all(&piece[..at.unwrap_or(len)]).await?;
        carried += at.unwrap_or(len);
        if at.is_some() {
            return Ok(Some(carried));
        }
    }
}

/// The place behind the first digit of a chunk's length, if one begins in `piece` after an event.
fn chunk_header(piece: &[u8]) -> Option<usize> {
    let end = b"\n\n\r\n";
    let at = piece
        .windows(end.len() + 1)
        .position(|w| w.starts_with(end))?;
    Some(at + end.len() + 1)
}
