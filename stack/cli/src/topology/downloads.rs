//! Exported files: where they lie and who hands them out.

use std::path::PathBuf;

use serde::Serialize;

use super::{Directories, Ports, network::Network};

/// The file store, which speaks S3.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct S3 {
    /// The S3 port.
    pub(crate) port: u16,
    /// Where its data lies.
    pub(crate) data: PathBuf,
    /// Where the console keeps its own.
    pub(crate) console_data: PathBuf,
    /// The host's name for clients.
    pub(crate) host: &'static str,
    /// `host:port` to listen on.
    pub(crate) listen: String,
    /// `host:port` as clients sign it.
    pub(crate) address: String,
    /// The S3 address for clients.
    pub(crate) url: String,
    /// The region that signatures name.
    pub(crate) region: &'static str,
    /// The private bucket of the exports.
    pub(crate) bucket: &'static str,
    /// Who may do everything, the console's user too; for development only.
    pub(crate) access_key: &'static str,
    /// And the password; for development only.
    pub(crate) secret_key: &'static str,
    /// Sign what SeaweedFS' S3 side may write to and read from its volumes; for development only.
    pub(crate) volume_write_key: &'static str,
    pub(crate) volume_read_key: &'static str,
    /// The console's port.
    pub(crate) console_port: u16,
    /// The console's address for people.
    pub(crate) console_url: String,
    /// SeaweedFS' own ports; each gRPC port would lie 10000 higher if it were not set.
    pub(crate) grpc_port: u16,
    pub(crate) console_grpc_port: u16,
    pub(crate) master_port: u16,
    pub(crate) master_grpc_port: u16,
    pub(crate) volume_port: u16,
    pub(crate) volume_grpc_port: u16,
    pub(crate) filer_port: u16,
    pub(crate) filer_grpc_port: u16,
    /// SeaweedFS' own metrics, for Prometheus.
    pub(crate) metrics_port: u16,
}

impl S3 {
    pub(super) fn new(network: Network, directories: &Directories, ports: &Ports) -> Self {
        let address = network.address("s3", ports.s3);
        Self {
            data: directories.data("s3", "/data"),
            console_data: directories.data("s3-console", "/data"),
            port: ports.s3,
            host: network.host("s3"),
            listen: network.listen_at(ports.s3),
            url: format!("http://{address}"),
            address,
            region: "us-east-1",
            bucket: "exports",
            access_key: "minioadmin",
            secret_key: "minioadmin",
            volume_write_key: "volume-write-dev-key",
            volume_read_key: "volume-read-dev-key",
            console_port: ports.s3_console,
            console_url: format!("http://localhost:{}", ports.s3_console),
            grpc_port: ports.s3_grpc,
            console_grpc_port: ports.s3_console_grpc,
            master_port: ports.s3_master,
            master_grpc_port: ports.s3_master_grpc,
            volume_port: ports.s3_volume,
            volume_grpc_port: ports.s3_volume_grpc,
            filer_port: ports.s3_filer,
            filer_grpc_port: ports.s3_filer_grpc,
            metrics_port: ports.s3_metrics,
        }
    }
}

/// The CDN.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Nginx {
    /// The HTTP port.
    pub(crate) port: u16,
    /// `host:port` to listen on.
    pub(crate) listen: String,
    /// The origin of downloads: on the gateway's host, whose cookie it needs.
    pub(crate) public_url: String,
    /// What it writes: cached and temporary files.
    pub(crate) data: PathBuf,
    /// Its access log.
    pub(crate) access_log: PathBuf,
    /// Where Debian puts the program.
    pub(crate) program: &'static str,
    /// Started by root, its workers stay root, like every other part then: they
    /// could not reach the checkout otherwise.
    pub(crate) as_root: bool,
}

impl Nginx {
    pub(super) fn new(network: Network, directories: &Directories, port: u16) -> Self {
        Self {
            port,
            listen: network.listen_at(port),
            public_url: format!("http://localhost:{port}"),
            data: directories.data("nginx", "/var/cache/nginx"),
            access_log: if directories.containers {
                "/dev/stdout".into()
            } else {
                directories.logs.join("nginx-access.log")
            },
            program: "/usr/sbin/nginx",
            as_root: !directories.containers && rustix::process::geteuid().is_root(),
        }
    }
}
