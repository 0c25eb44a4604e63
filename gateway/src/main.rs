//! The gateway's program.

use bionicpro_gateway::{Config, run};
use bionicpro_proto::policy;

fn main() -> anyhow::Result<()> {
    run(Config::from_process(), policy::of)
}
