//! Sockets and threads: one listening socket, and per core a thread with a
//! runtime of its own that takes connections from it. A connection, the calls
//! on it and the connections to the services stay on one thread. What is
//! answered is not decided here.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::door::Door;

/// How long a connection may take to send the headers of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long to wait when the process is out of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// See `calls::upstream` for the reasons of the windows' sizes.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// Binds the address once. A second gateway on it fails here: sharing the port
/// (`SO_REUSEPORT`) would split the browsers between the two in silence.
pub(crate) fn bind(listen: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Starts a worker per core. `make_door` runs inside each worker's runtime.
/// The workers end, after the calls under way but within `drain`, when `stop` is
/// cancelled. They alone keep the socket: who comes while they end is refused at once, and not
/// left waiting for somebody to take the connection.
pub(crate) fn start<F>(
    listener: std::net::TcpListener,
    make_door: F,
    stop: &CancellationToken,
    drain: Duration,
) -> io::Result<Vec<JoinHandle<()>>>
where
    F: Fn() -> Door + Clone + Send + 'static,
{
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let workers = (0..cores)
        .map(|core| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let listener = listener.try_clone()?;
            let (make_door, stop) = (make_door.clone(), stop.clone());
            thread::Builder::new()
                .name(format!("worker-{core}"))
                .spawn(move || {
                    if let Err(error) = runtime.block_on(accept(listener, make_door, stop, drain)) {
                        tracing::error!(%error, "the worker ended");
                    }
                })
        })
        .collect();
    drop(listener);
    workers
}

pub(crate) async fn accept(
    listener: std::net::TcpListener,
    make_door: impl Fn() -> Door,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let door = Arc::new(make_door());
    let connections = TaskTracker::new();
    let http = Arc::new(http_server());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (http, door, stop) = (http.clone(), door.clone(), stop.clone());
                connections.spawn(async move { serve(&http, stream, peer, door, stop).await });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(drain, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(left = connections.len(), "connections were cut off");
    }
    Ok(())
}

async fn serve(
    http: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    door: Arc<Door>,
    stop: CancellationToken,
) {
    // Without it small answers wait for the peer's delayed acknowledgement, 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the peer is gone");
        return;
    }
    let answer = service_fn(move |request| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(door.answer(peer.ip(), request).await) }
    });
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "the connection broke");
    }
}

fn http_server() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    http.http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    http
}
