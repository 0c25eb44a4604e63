//! CRM changes from Kafka into ClickHouse: puts the parts together. `serve` follows the changes and
//! answers calls, `migrate` brings the tables up to date.

mod apply;
mod batch;
mod block;
mod config;
mod connect;
mod consume;
mod envelope;
mod error;
mod follow;
mod rejection;
mod rpc;
mod spare;
mod store;
mod tables;
mod trouble;
mod value;
mod watermark;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use bionicpro_mesh::{
    clickhouse::{self, MigrateError},
    config::from_process,
    server::{Server, shutdown_signal},
    telemetry,
};
use bionicpro_proto::cdc::v1::cdc_service_server::CdcServiceServer;
use tokio::{sync::mpsc, task::JoinHandle, time};

use crate::{
    apply::Apply,
    config::{Command, Config},
    rpc::Cdc,
    spare::Spare,
    store::{
        clickhouse::{MIGRATIONS, Store},
        kafka::{Consumer, Group, Positions},
    },
    trouble::Trouble,
};

/// The name of the program, its tokens' audience and its consumer group.
const GROUP: &str = "bionicpro-cdc";
/// How long `migrate` waits before it asks again for a ClickHouse that is away.
const MIGRATE_AGAIN: Duration = Duration::from_secs(1);
/// How long the insert that is running at the end may take.
const LAST_INSERT: Duration = Duration::from_secs(5);

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let config = from_process(Config::read);
    match start(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    }
}

fn start(config: &Config) -> Result<(), Failed> {
    let _telemetry = telemetry::start(GROUP, &config.basics.telemetry)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        match config.command {
            Command::Serve => serve(config).await,
            Command::Migrate => migrate(config).await.map_err(Failed::from),
        }
    });
    // A call to a broker that is away may still block a thread.
    runtime.shutdown_background();
    ended
}

/// Waits for ClickHouse: whoever starts everything at once need not know the order.
async fn migrate(config: &Config) -> Result<(), MigrateError> {
    let client = clickhouse::connect(&config.clickhouse);
    while let Err(error) = clickhouse::ping(&client).await {
        tracing::warn!(%error, url = %config.clickhouse.url, "ClickHouse does not answer: trying again");
        time::sleep(MIGRATE_AGAIN).await;
    }
    clickhouse::migrate(&client, "cdc", &MIGRATIONS).await
}

async fn serve(config: &Config) -> Result<(), Failed> {
    let store = Store::new(clickhouse::connect(&config.clickhouse));
    let group = Arc::new(Group::observe(&config.kafka_brokers)?);
    let trouble = Arc::new(Trouble::default());
    let pipeline = Pipeline::start(config, store.clone(), Arc::clone(&trouble))?;
    let positions = Positions::read(&config.kafka_brokers)?;
    let follow = tokio::spawn(follow::run(store.clone(), Arc::clone(&group), positions));

    let cdc = Cdc {
        store: store.clone(),
        group: Arc::clone(&group),
    };
    Server::new(GROUP, config.basics.listen, config.basics.verifier(GROUP))
        .environment(config.basics.environment)
        .dependency("kafka", move || {
            let group = Arc::clone(&group);
            async move {
                tokio::task::spawn_blocking(move || group.ping())
                    .await?
                    .map_err(Failed::from)
            }
        })
        .dependency("clickhouse", move || {
            let (store, trouble) = (store.clone(), Arc::clone(&trouble));
            async move {
                store.ping().await?;
                trouble.check().map_err(Failed::from)
            }
        })
        .add_service(CdcServiceServer::new(cdc))
        .serve(shutdown_signal())
        .await?;
    follow.abort();
    pipeline.stop().await;
    Ok(())
}

/// The thread that reads and the task that applies.
struct Pipeline {
    stop: Arc<AtomicBool>,
    read: thread::JoinHandle<()>,
    apply: JoinHandle<()>,
}

impl Pipeline {
    fn start(config: &Config, store: Store, trouble: Arc<Trouble>) -> Result<Self, Failed> {
        let (spare, stop) = (Arc::new(Spare::new()), Arc::new(AtomicBool::new(false)));
        let consumer = Arc::new(Consumer::join(&config.kafka_brokers, Arc::clone(&spare))?);
        let (full, batches) = mpsc::channel(1);
        let apply = Apply {
            store,
            consumer: Arc::clone(&consumer),
            trouble,
            fault: config.fault,
        };
        let apply = tokio::spawn(apply.run(batches, Arc::clone(&spare)));
        let stopped = Arc::clone(&stop);
        let read = thread::Builder::new()
            .name("consume".to_owned())
            .spawn(move || consume::run(&consumer, &full, &spare, &stopped))?;
        Ok(Self { stop, read, apply })
    }

    /// Stops reading, lets the insert that is running end, and leaves the group.
    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let read = tokio::task::spawn_blocking(move || self.read.join());
        // What is not applied by then is read again by the next member.
        let _ = time::timeout(LAST_INSERT, async { (read.await, self.apply.await) }).await;
    }
}
