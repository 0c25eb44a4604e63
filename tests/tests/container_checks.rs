//! What containers ask themselves with `grpcurl`, `curl` and `redis-cli`, run against the native parts:
//! well where they are, unwell where nobody listens or somebody says so. What is asked without a
//! client is looked at in the suite `compose`.

use std::env;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use bionicpro_tests::stack;
use regex::{Captures, Regex};

const CLIENTS: [&str; 3] = ["grpcurl", "curl", "redis-cli"];
/// Four services; the gateway and the CDN; Redis.
const CHECKS: usize = 7;

/// A check, and the port that it asks in its container.
struct Check {
    command: String,
    port: u16,
}

impl Check {
    /// Whether it is content with what is at another port.
    fn succeeds_at(&self, port: u16, clients: &Path) -> bool {
        let at = |found: &Captures<'_>| format!("{}{port}", &found[1]);
        let command = port_asked().replace(&self.command, at).into_owned();
        let known = env::var_os("PATH").unwrap_or_default();
        let folders = [clients.to_owned()].into_iter();
        let folders = folders.chain(env::split_paths(&known));
        let asked = Command::new("sh")
            .args(["-c", &command])
            .env("PATH", env::join_paths(folders).expect("folders"))
            .output()
            .expect("a shell");
        asked.status.success()
    }

    fn asks_by(&self, client: &str) -> bool {
        self.command.split([' ', '(']).any(|word| word == client)
    }
}

fn port_asked() -> Regex {
    Regex::new(r"(127\.0\.0\.1:|-p )(\d+)").expect("a pattern")
}

/// The checks of `docker-compose.yaml` that need one of the clients.
fn checks() -> Vec<Check> {
    let file = fs::read_to_string(stack().directories.root.join("docker-compose.yaml"));
    let file = file.expect("readable");
    let line = Regex::new(r#"test: \["CMD-SHELL", (".*")\]"#).expect("a pattern");
    let commands = line.captures_iter(&file).map(|found| {
        let command: String = serde_json::from_str(&found[1]).expect("a text");
        // Compose's way to write a dollar.
        command.replace("$$", "$")
    });
    let checks = commands.filter_map(|command| {
        let port = port_asked().captures(&command)?[2].parse().ok()?;
        Some(Check { command, port })
    });
    let checks: Vec<_> = checks
        .filter(|check| CLIENTS.iter().any(|client| check.asks_by(client)))
        .collect();
    assert_eq!(checks.len(), CHECKS);
    checks
}

/// Where `cargo stack` puts its tools.
fn tools() -> PathBuf {
    stack().directories.root.join(".stack/bin")
}

#[test]
fn what_a_container_asks_itself_finds_a_running_part_well() {
    let higher = if stack().profile == "test" { 10_000 } else { 0 };
    for check in checks() {
        let port = check.port + higher;
        assert!(check.succeeds_at(port, &tools()), "{}", check.command);
    }
}

#[test]
fn what_a_container_asks_itself_fails_where_nobody_listens() {
    for check in checks() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        assert!(!check.succeeds_at(port, &tools()), "{}", check.command);
    }
}

#[test]
fn what_a_container_asks_itself_fails_where_the_part_says_that_it_is_unwell() {
    const UNREADY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    const LOADING: &str = "-LOADING Redis is loading the dataset in memory\r\n";
    let clients = tempfile::tempdir().expect("a folder");
    let grpcurl = clients.path().join("grpcurl");
    // As grpcurl prints a service's answer; it ends with 0.
    let script = "#!/bin/sh\nprintf '{\\n  \"status\": \"NOT_SERVING\"\\n}\\n'\n";
    fs::write(&grpcurl, script).expect("writable");
    fs::set_permissions(&grpcurl, fs::Permissions::from_mode(0o755)).expect("ours");
    for check in checks() {
        let unwell = if check.asks_by("redis-cli") {
            LOADING
        } else {
            UNREADY
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody asks");
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked);
            // Whoever has read enough may be gone.
            let _ = stream.write_all(unwell.as_bytes());
        });
        let content = check.succeeds_at(port, clients.path());
        // Where it did not ask, this does, or the server would wait for ever.
        let _ = TcpStream::connect(("127.0.0.1", port));
        server.join().expect("it was asked");
        assert!(!content, "{}", check.command);
    }
}
