//! A way to ClickHouse that a suite can block in the middle of an insert, so that what happens then
//! happens while the insert is under way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{future, io};

use anyhow::Context;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::eventually;

/// As the statement stands in the address of a request.
const INSERT: &[u8] = b"INSERT+INTO+telemetry_readings+";
/// So much of an insert goes through where its body is kept back: the head and some of the block.
const PART: usize = 4 << 10;
const BUFFER: usize = 64 << 10;
/// How long an insert may take to come.
const LIMIT: Duration = Duration::from_secs(90);

/// What becomes of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// They go through.
    Pass,
    /// An insert of readings goes through; its answer is kept back.
    KeepAnswers,
    /// An insert of readings goes through in part; the rest of it is kept back.
    KeepBodies,
    /// New ones are closed at once.
    Refuse,
}

/// It listens until it is dropped.
pub struct Proxy {
    url: Url,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

struct Shared {
    rule: Mutex<Rule>,
    caught: watch::Sender<bool>,
}

impl Proxy {
    /// One that leads to an address and lets everything through.
    ///
    /// # Errors
    /// When there is no such address, or no port is free.
    pub async fn to(target: &Url) -> anyhow::Result<Self> {
        let addresses = target.socket_addrs(|| None)?;
        let target = *addresses.first().context("no address")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?).parse()?;
        let shared = Arc::new(Shared {
            rule: Mutex::new(Rule::Pass),
            caught: watch::Sender::new(false),
        });
        let of_all = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if of_all.rule() == Rule::Refuse {
                    continue;
                }
                let shared = Arc::clone(&of_all);
                tokio::spawn(async move {
                    // A connection that breaks is what is wanted here.
                    if let Ok(server) = TcpStream::connect(target).await {
                        let _ = pass(client, server, &shared).await;
                    }
                });
            }
        });
        Ok(Self {
            url,
            shared,
            listening,
        })
    }

    /// Its own address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// From now on this holds.
    pub fn rule(&self, rule: Rule) {
        let mut held = self.shared.rule.lock();
        **held.as_mut().unwrap_or_else(|poisoned| poisoned.get_mut()) = rule;
    }

    /// Waits until something was kept back.
    ///
    /// # Panics
    /// When nothing is, in time.
    pub async fn has_caught(&self) {
        let caught = self.shared.caught.subscribe();
        eventually("an insert is under way", LIMIT, || async {
            *caught.borrow()
        })
        .await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    fn rule(&self) -> Rule {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both ways, until one of them ends: then both do.
async fn pass(client: TcpStream, server: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let answer_kept = watch::Sender::new(false);
    let kept = answer_kept.subscribe();
    tokio::select! {
        ended = requests(from_client, to_server, shared, &answer_kept) => ended,
        ended = answers(from_server, to_client, shared, &kept) => ended,
    }
}

async fn requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    shared: &Shared,
    answer_kept: &watch::Sender<bool>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut room = None;
    loop {
        let read = client.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let bytes = &buffer[..read];
        // One request at a time goes by a connection, and its head comes first.
        if bytes.windows(INSERT.len()).any(|window| window == INSERT) {
            let rule = shared.rule();
            answer_kept.send_replace(rule == Rule::KeepAnswers);
            room = (rule == Rule::KeepBodies).then_some(PART);
        }
        let part = room.map_or(read, |room| read.min(room));
        server.write_all(&bytes[..part]).await?;
        if part < read {
            shared.caught.send_replace(true);
            return future::pending().await;
        }
        room = room.map(|room| room - part);
    }
}

async fn answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    shared: &Shared,
    kept: &watch::Receiver<bool>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = server.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        if *kept.borrow() {
            shared.caught.send_replace(true);
        } else {
            client.write_all(&buffer[..read]).await?;
        }
    }
}
