//! CRM changes from Kafka into ClickHouse: puts the parts together. `serve` follows the changes and
//! answers calls, `migrate` brings the tables up to date.

mod apply;
mod batch;
mod block;
mod config;
mod connect;
mod envelope;
mod error;
mod feed;
mod follow;
mod moved;
mod rejection;
mod rpc;
mod store;
mod tables;
mod value;
mod watermark;

use std::{process::ExitCode, sync::Arc};

use bionicpro_mesh::{
    clickhouse::{self, MigrateError},
    config::from_process,
    kafka::{Group, Limits, Pipeline, StartError, Trouble},
    server::{Server, shutdown_signal},
    telemetry,
};
use bionicpro_proto::cdc::v1::cdc_service_server::CdcServiceServer;

use crate::{
    apply::Apply,
    batch::Batch,
    config::{Command, Config},
    rpc::Cdc,
    store::{
        clickhouse::{MIGRATIONS, Store},
        kafka::{self, Positions},
    },
};

/// The name of the program and the audience of its callers' tokens.
const NAME: &str = "bionicpro-cdc";

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
    let _telemetry = telemetry::start(NAME, &config.basics.telemetry)?;
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

async fn migrate(config: &Config) -> Result<(), MigrateError> {
    clickhouse::migrate(&clickhouse::connect(&config.clickhouse), "cdc", &MIGRATIONS).await
}

async fn serve(config: &Config) -> Result<(), Failed> {
    let store = Store::new(clickhouse::connect(&config.clickhouse));
    let (brokers, feed) = (config.kafka_brokers.as_str(), &config.feed);
    let trouble = Arc::new(Trouble::default());
    let pipeline = start_pipeline(config, store.clone(), Arc::clone(&trouble))?;
    let group = pipeline.group();
    let topic = config.connect_offsets_topic.clone();
    let positions = Positions::read(brokers, Arc::clone(feed), topic)?;
    let (source, guard) = (feed.source.clone(), pipeline.guard());
    let following = follow::run(source.clone(), store.clone(), Arc::clone(&group), positions);
    let follow = tokio::spawn(async move {
        let _guard = guard;
        following.await;
    });

    let cdc = Cdc {
        source,
        store: store.clone(),
        group: Arc::clone(&group),
    };
    let ended = pipeline.ended();
    Server::new(NAME, config.basics.listen, config.basics.verifier(NAME))
        .environment(config.basics.environment)
        .drain(config.basics.drain)
        .dependency("kafka", move || kafka_answers(Arc::clone(&group)))
        .dependency("clickhouse", move || {
            changes_are_applied(store.clone(), Arc::clone(&trouble))
        })
        .add_service(CdcServiceServer::new(cdc))
        .serve(async {
            tokio::select! {
                () = shutdown_signal() => {}
                () = ended => tracing::error!("a part of the pipeline ended: stopping"),
            }
        })
        .await?;
    // Whoever supervises the process starts it anew after a failure.
    let stopped = pipeline.stop().await;
    follow.abort();
    Ok(stopped?)
}

fn start_pipeline(
    config: &Config,
    store: Store,
    trouble: Arc<Trouble>,
) -> Result<Pipeline, StartError> {
    let feed = &config.feed;
    let topics = feed.topics.each_ref().map(String::as_str);
    let applier = |consumer| Apply {
        feed: Arc::clone(feed),
        store,
        consumer,
        trouble,
        fault: config.fault,
    };
    let group = kafka::config(&config.kafka_brokers, feed);
    Pipeline::start(group, &topics, Limits::LARGE, || Batch::new(feed), applier)
}

async fn kafka_answers(group: Arc<Group>) -> Result<(), Failed> {
    let answer = tokio::task::spawn_blocking(move || group.ping());
    Ok(answer.await??)
}

async fn changes_are_applied(store: Store, trouble: Arc<Trouble>) -> Result<(), Failed> {
    store.ping().await?;
    Ok(trouble.check()?)
}
