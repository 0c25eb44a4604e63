//! Generates messages, servers and clients. A server decodes with the codec that checks field
//! rules; a client decodes answers with the plain one.

use std::path::Path;

use prost_build::{Config, Service, ServiceGenerator};
use prost_types::FileDescriptorSet;

const CHECKING_CODEC: &str = "crate::codec::ValidatingCodec";

/// Writes the code of every package into `out`, and `packages.rs`, which holds their modules.
pub(crate) fn generate(contracts: FileDescriptorSet, out: &Path) -> anyhow::Result<()> {
    let server = tonic_prost_build::configure()
        .build_client(false)
        .codec_path(CHECKING_CODEC);
    let client = tonic_prost_build::configure().build_server(false);
    Config::new()
        .out_dir(out)
        .include_file("packages.rs")
        .bytes(["."])
        .service_generator(Box::new(Both(
            server.service_generator(),
            client.service_generator(),
        )))
        .compile_fds(contracts)?;
    Ok(())
}

struct Both(Box<dyn ServiceGenerator>, Box<dyn ServiceGenerator>);

impl ServiceGenerator for Both {
    fn generate(&mut self, service: Service, code: &mut String) {
        self.0.generate(service.clone(), code);
        self.1.generate(service, code);
    }
}
