//! The spans of a batch's messages that came with a trace: one for all that came with the same
//! context, and no more of them than an insert can be linked with.

use std::collections::HashMap;

use tracing::Span;

use super::Received;
use crate::telemetry::messaging;

/// As many spans as one span has links for (OpenTelemetry's limit). Messages of further contexts
/// have none: a span is made only where there is room for it, or many of them would push everybody
/// else's out of the exporter's queue.
pub(super) const MAXIMUM_SPANS: usize = 128;

/// Messages that are being processed.
#[derive(Debug, Default)]
pub(super) struct Followed {
    spans: Vec<Span>,
    /// What each span stands for.
    messages: Vec<Messages>,
    /// Which span a context has.
    by_context: HashMap<String, usize>,
}

/// The messages of one context.
#[derive(Debug)]
struct Messages {
    count: usize,
    /// Where the first one stands.
    partition: i32,
    offset: i64,
}

impl Followed {
    /// Takes a message in.
    pub(super) fn enter(&mut self, group: &str, received: &Received<'_>) {
        let Some(traceparent) = received.traceparent() else {
            return;
        };
        if let Some(known) = self.by_context.get(traceparent) {
            self.messages[*known].count += 1;
        } else if self.spans.len() < MAXIMUM_SPANS {
            self.by_context
                .insert(traceparent.to_owned(), self.spans.len());
            self.spans
                .push(messaging::process(group, received.topic, traceparent));
            self.messages.push(Messages {
                count: 1,
                partition: received.partition,
                offset: received.offset,
            });
        }
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Ends the spans.
    pub(super) fn end(&mut self) {
        for (span, messages) in self.spans.drain(..).zip(self.messages.drain(..)) {
            match messages.count {
                1 => messaging::processed_one(&span, messages.partition, messages.offset),
                several => messaging::processed(&span, several),
            }
        }
        self.by_context.clear();
    }
}
