//! Applies batches, one after the other: rows, completed rows and dead letters into ClickHouse, and
//! only then the offsets into Kafka. What fails is tried again for as long as it takes.

use std::sync::Arc;

use bionicpro_mesh::{
    clickhouse as mesh,
    clickhouse::native::Encoded,
    kafka::{self, Assignment, Consumer, Trouble, dead_letters},
    telemetry::messaging,
};
use chrono::Utc;
use futures::future::join_all;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::{
    batch::{Batch, Incomplete, parse_row_of, version},
    block::{self, Block, Outcome},
    config::Fault,
    feed::Feed,
    moved::{self, Version},
    rejection::Rejection,
    store::clickhouse::{DEAD_LETTERS, Store},
    tables::Table,
};

/// What applies batches.
pub(crate) struct Apply {
    pub(crate) feed: Arc<Feed>,
    pub(crate) store: Store,
    pub(crate) consumer: Arc<Consumer<Batch>>,
    /// What keeps a batch from being applied, for readiness.
    pub(crate) trouble: Arc<Trouble>,
    /// A safety that is taken out, for the tests that prove it is needed.
    pub(crate) fault: Option<Fault>,
}

impl kafka::Apply<Batch> for Apply {
    async fn apply(&self, batch: &mut Batch, assignment: Assignment) {
        match self.fault {
            Some(Fault::CommitBeforeInsert) => self.commit(batch, assignment).await,
            Some(Fault::PanicWhileApplying) => panic!("a test asked for it"),
            None => {}
        }
        let incomplete = std::mem::take(&mut batch.incomplete);
        // The batch's own deletions let merges drop what is stored before them.
        let mut earlier = Vec::with_capacity(incomplete.len());
        for change in &incomplete {
            earlier.push(self.old_versions(change).await);
        }
        let spans = batch.ledger.spans();
        let filled = batch.blocks.iter_mut().filter(|block| block.rows() > 0);
        join_all(filled.map(|block| self.insert_block(block, spans))).await;
        for (change, earlier) in incomplete.into_iter().zip(earlier) {
            if let Err(rejection) = self.complete(&change, earlier).await {
                batch.dead.push((change.kept, rejection));
            }
        }
        if !batch.dead.is_empty() {
            self.set_aside(batch).await;
        }
        if self.fault != Some(Fault::CommitBeforeInsert) {
            self.commit(batch, assignment).await;
        }
    }
}

impl Apply {
    async fn insert_block(&self, block: &mut Block, spans: &[Span]) {
        let (table, rows) = (block.table(), block.rows());
        let encoded = block.encode();
        let span = messaging::batch(table.target, rows, spans);
        self.insert(table.target, &encoded).instrument(span).await;
        block.reuse(encoded);
    }

    async fn insert(&self, target: &'static str, block: &Encoded) {
        self.trouble
            .insist(target, || mesh::insert(self.store.client(), target, block))
            .await;
    }

    /// Takes the values that a change lacks from the stored row. Changes before it are in
    /// ClickHouse already, the later ones of its batch too. `earlier` are the versions of its old
    /// key that were stored before its batch.
    async fn complete(&self, change: &Incomplete, earlier: Vec<Version>) -> Result<(), Rejection> {
        let Incomplete { kept, .. } = change;
        let table = self
            .feed
            .table(&kept.topic)
            .ok_or(Rejection::UnknownTable)?;
        let message = parse_row_of(table, &kept.value)?;
        let version = version(message.lsn, kept.offset);
        let id = block::key(table, &message.change)?;
        let newest = self.versions(table, id).await.into_iter().next();
        let texts = match newest {
            // A later change has the whole row: this one could not win.
            Some(newest) if newest.number >= version => return Ok(()),
            Some(newest) if !newest.is_deleted => newest.texts,
            Some(_) | None => {
                let versions = [earlier, self.old_versions(change).await].concat();
                moved::texts_before(versions, message.lsn).unwrap_or_default()
            }
        };
        let stored: Vec<_> = table.texts().zip(texts).collect();
        let mut block = Block::new(table);
        if block.push(message.change, version, Some(&stored))? == Outcome::Written {
            self.insert(table.target, &block.encode()).await;
        }
        Ok(())
    }

    /// The stored versions of the key that a row had before `change`; none where it is the same.
    async fn old_versions(&self, change: &Incomplete) -> Vec<Version> {
        let table = self.feed.table(&change.kept.topic);
        let key = change.old_key.as_deref();
        match table
            .zip(key)
            .and_then(|(table, key)| Some((table, block::key_of(table, key)?)))
        {
            Some((table, id)) => self.versions(table, id).await,
            None => Vec::new(),
        }
    }

    async fn versions(&self, table: &'static Table, id: Uuid) -> Vec<Version> {
        self.trouble
            .insist(table.target, || self.store.versions(table, id))
            .await
    }

    async fn set_aside(&self, batch: &Batch) {
        let block = dead_letters::block(&batch.dead, Utc::now());
        self.insert(DEAD_LETTERS, &block).await;
        dead_letters::tell(&batch.dead);
    }

    async fn commit(&self, batch: &Batch, assignment: Assignment) {
        self.consumer
            .commit_applied(batch.ledger.ranges(), assignment, &self.trouble)
            .await;
    }
}
