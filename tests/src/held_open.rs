//! A stream of readings that a device holds open while something happens at its other end.

use std::time::Duration;

use bionicpro_proto::ingest::v1::{Reading, Receipt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::devices::{Devices, ids, recorded};
use crate::{Topology, eventually};

/// How long readings may take into the log.
const TAKEN: Duration = Duration::from_secs(90);

/// The stream, and what was sent by it.
pub struct HeldOpen {
    /// Ends the stream when it is dropped.
    pub device: mpsc::Sender<Vec<Reading>>,
    /// All readings that were sent.
    pub sent: Vec<Reading>,
    /// What the call comes to.
    pub answer: JoinHandle<Result<Receipt, Status>>,
}

impl HeldOpen {
    /// Opens one and sends readings, which are in the log then.
    ///
    /// # Panics
    /// When they are not in time.
    pub async fn open(stack: &'static Topology, devices: &Devices, first: Vec<Reading>) -> Self {
        let (device, messages) = mpsc::channel(1);
        let devices = devices.clone();
        let stream = async move { devices.stream(ReceiverStream::new(messages)).await };
        let mut stream = Self {
            device,
            sent: Vec::new(),
            answer: tokio::spawn(stream),
        };
        stream.send(first).await;
        eventually("the stream is taken", TAKEN, || async {
            let topic = tokio::task::spawn_blocking(|| recorded(stack));
            let topic = topic.await.ok().and_then(Result::ok).unwrap_or_default();
            ids(&stream.sent).iter().all(|id| topic.contains_key(id))
        })
        .await;
        stream
    }

    /// Sends more readings, unless the call has ended.
    pub async fn send(&mut self, readings: Vec<Reading>) {
        if self.device.send(readings.clone()).await.is_ok() {
            self.sent.extend(readings);
        }
    }

    /// Ends the stream; what was sent by it, and what the call came to.
    ///
    /// # Panics
    /// When the call does.
    pub async fn end(self) -> (Vec<Reading>, Result<Receipt, Status>) {
        drop(self.device);
        let answer = self.answer.await;
        (self.sent, answer.unwrap_or_else(|error| panic!("{error}")))
    }
}
