//! The connections: a listener on loopback comes in, connections that can be reset without a reply go out.
//! A reset is a real one (RST), as a crashed proxy sends it, and not a tidy end of stream.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What the handlers know of the connection that a request came over.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    broken: Arc<AtomicBool>,
}

impl Line {
    /// Nothing more goes out over this connection; it is reset at the next write.
    pub(super) fn cut(&self) {
        self.broken.store(true, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, Loopback>> for Line {
    fn connect_info(stream: IncomingStream<'_, Loopback>) -> Self {
        stream.io().line.clone()
    }
}

/// A listener on 127.0.0.1.
pub(super) struct Loopback {
    listener: TcpListener,
    open: Open,
    accepted: Accepted,
}

/// How many connections were accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct Accepted(Arc<AtomicU64>);

impl Accepted {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many connections are open: each of them holds one of these.
#[derive(Debug, Clone, Default)]
pub(super) struct Open(Arc<()>);

impl Open {
    /// Besides the listener's and the one that asks.
    pub(super) fn count(&self) -> usize {
        Arc::strong_count(&self.0).saturating_sub(2)
    }
}

impl Loopback {
    /// Listens on a port; 0 takes any free one.
    pub(super) async fn bind(port: u16, accepted: Accepted) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        let open = Open::default();
        Ok(Loopback {
            listener,
            open,
            accepted,
        })
    }

    /// What knows how many connections are open.
    pub(super) fn open(&self) -> Open {
        self.open.clone()
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Listener for Loopback {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((socket, address)) => {
                    self.accepted.0.fetch_add(1, Ordering::Relaxed);
                    // Without it small replies wait for the caller's delayed acknowledgement.
                    if let Err(error) = socket.set_nodelay(true) {
                        tracing::debug!(%error, "emulator: no TCP_NODELAY");
                    }
                    return (
                        Stream {
                            socket,
                            line: Line::default(),
                            _open: self.open.clone(),
                        },
                        address,
                    );
                }
                // Out of file descriptors, mostly: wait until some connection ends.
                Err(error) => {
                    tracing::warn!(%error, "emulator: accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address()
    }
}

/// A connection that stops writing when its line is cut.
pub(super) struct Stream {
    socket: TcpStream,
    line: Line,
    _open: Open,
}

impl Stream {
    fn ensure_whole(&self) -> io::Result<()> {
        if !self.line.broken.load(Ordering::Acquire) {
            return Ok(());
        }
        // With a linger of zero the close that follows this error is an RST.
        self.socket.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.ensure_whole()?;
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.ensure_whole()?;
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ensure_whole()?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ensure_whole()?;
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
