//! What is collected between two inserts, and when it is time for one. No I/O; what a batch makes
//! of a message is the services'.

mod followed;

use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedHeaders, Headers as _};
use tracing::Span;

use followed::Followed;

/// How large a batch grows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages.
    pub messages: usize,
    /// Bytes of the messages.
    pub bytes: usize,
    /// How long the first message waits for company when no more come.
    pub linger: Duration,
    /// How long it waits when they keep coming.
    pub longest: Duration,
}

impl Limits {
    /// Large blocks are what ClickHouse is good at; two batches of this size fit into memory.
    pub const LARGE: Self = Self {
        messages: 100_000,
        bytes: 64 << 20,
        linger: Duration::from_millis(50),
        longest: Duration::from_millis(500),
    };
}

/// Messages that are applied together.
pub trait Batch: Send + 'static {
    /// Takes a message in. Whatever is wrong with it, it has its place in the batch afterwards.
    fn push(&mut self, received: Received<'_>);

    /// How full it is at `now`.
    fn fill(&self, now: Instant) -> Fill;

    /// Forgets everything but its buffers.
    fn clear(&mut self);
}

/// What to do next with the batch that is being filled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Take more messages, waiting for them at most so long.
    Poll(Duration),
    /// Insert it.
    Insert,
    /// It is full, and the one before it is still being inserted: take no more.
    Hold,
}

/// How full a batch is.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// Messages in it.
    pub messages: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Since its first message.
    pub age: Duration,
    /// Something in it is known whole once another message is there, which comes by another
    /// partition: it waits for company as long as it may.
    pub half: bool,
}

/// Decides what to do next. `caught_up`: the last poll found no message; `free`: no other batch
/// is being inserted; `idle_wait`: how long to wait for a first message, or for that insert.
pub(super) fn next(
    fill: Fill,
    limits: &Limits,
    caught_up: bool,
    free: bool,
    idle_wait: Duration,
) -> Next {
    if fill.messages == 0 {
        return Next::Poll(idle_wait);
    }
    let full = fill.messages >= limits.messages || fill.bytes >= limits.bytes;
    let linger = if fill.half {
        limits.longest
    } else {
        limits.linger
    };
    let waited = fill.age >= limits.longest || (caught_up && fill.age >= linger);
    match (full, waited, free) {
        (true, _, false) => Next::Hold,
        (true, _, true) | (false, true, true) => Next::Insert,
        (false, true, false) => Next::Poll(limits.linger.min(idle_wait)),
        (false, false, _) => Next::Poll(linger.saturating_sub(fill.age)),
    }
}

/// A message as Kafka has it.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The number of the partition.
    pub partition: i32,
    /// Where it stands in the partition.
    pub offset: i64,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// None for a tombstone.
    pub payload: Option<&'a [u8]>,
    /// What else it came with.
    pub headers: Headers<'a>,
}

impl<'a> Received<'a> {
    /// The trace context that it came with.
    #[must_use]
    pub fn traceparent(&self) -> Option<&'a str> {
        str::from_utf8(self.headers.get("traceparent")?).ok()
    }
}

/// The headers of a message.
#[derive(Clone, Copy, Default)]
pub struct Headers<'a>(Source<'a>);

#[derive(Clone, Copy, Default)]
enum Source<'a> {
    #[default]
    None,
    Kafka(&'a BorrowedHeaders),
    Listed(&'a [(&'a str, &'a [u8])]),
}

impl<'a> Headers<'a> {
    pub(super) fn of(headers: Option<&'a BorrowedHeaders>) -> Self {
        Self(headers.map_or(Source::None, Source::Kafka))
    }

    /// Headers that come from no broker.
    #[must_use]
    pub fn listed(headers: &'a [(&'a str, &'a [u8])]) -> Self {
        Self(Source::Listed(headers))
    }

    /// The value of the last header `name`, which is the one that counts to Kafka's own clients and
    /// to OpenTelemetry's; none also where the header has none.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        match self.0 {
            Source::None => None,
            Source::Kafka(headers) => {
                let named = headers.iter().filter(|it| it.key == name);
                named.last()?.value
            }
            Source::Listed(headers) => headers
                .iter()
                .rfind(|(key, _)| *key == name)
                .map(|(_, value)| *value),
        }
    }
}

/// The messages that a batch has of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// The offset of the first message.
    pub first: i64,
    /// The offset of the last one.
    pub last: i64,
    /// A number that is committed with the offset: the last one that was given for it.
    pub note: Option<u64>,
}

/// What a batch has taken in, whatever became of it.
#[derive(Debug, Default)]
pub struct Ledger {
    ranges: Vec<Range>,
    followed: Followed,
    messages: usize,
    bytes: usize,
    started: Option<Instant>,
}

impl Ledger {
    /// Takes a message in; messages of a partition come in their order.
    pub fn enter(&mut self, received: &Received<'_>, note: Option<u64>) {
        self.messages += 1;
        self.bytes += received.payload.map_or(0, <[u8]>::len);
        self.started.get_or_insert_with(Instant::now);
        let known = self
            .ranges
            .iter_mut()
            .find(|range| range.partition == received.partition && range.topic == received.topic);
        match known {
            Some(range) => {
                range.last = received.offset;
                range.note = note.or(range.note);
            }
            None => self.ranges.push(Range {
                topic: received.topic.to_owned(),
                partition: received.partition,
                first: received.offset,
                last: received.offset,
                note,
            }),
        }
    }

    /// Follows a message that came with a trace: the span of processing it, and all others of the
    /// same context, ends when the batch is applied.
    pub fn trace(&mut self, group: &str, received: &Received<'_>) {
        self.followed.enter(group, received);
    }

    /// The messages, a range for each partition.
    #[must_use]
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// The spans of messages that came with a trace, one a context.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        self.followed.spans()
    }

    /// How full the batch is at `now`; for `half` see [`Fill::half`].
    #[must_use]
    pub fn fill(&self, now: Instant, half: bool) -> Fill {
        let age = self
            .started
            .map_or(Duration::ZERO, |started| now.duration_since(started));
        Fill {
            messages: self.messages,
            bytes: self.bytes,
            age,
            half,
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.ranges.clear();
        self.followed.end();
        (self.messages, self.bytes, self.started) = (0, 0, None);
    }
}

#[cfg(test)]
mod tests;
