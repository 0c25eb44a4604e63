//! What containers without a client for HTTP ask themselves, run against a server that answers as it is
//! told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use crate::model::{Service, services};

/// Kafka Connect's and Keycloak's answers when they are unwell: both say somewhere that all is well.
const UNWELL: &str =
    r#"{"status":"unhealthy","checks":[{"name":"database","status": "UP"},{"status": "DOWN"}]}"#;

const WELL: &str = r#"{"status":"healthy","checks":[{"status": "UP"}]}"#;

#[test]
fn a_container_is_healthy_when_it_answers_200_and_not_when_it_says_something_else() {
    let services = services();
    let mut probed = 0;
    for (name, service) in &services {
        let Some(command) = spoken_by_hand(service) else {
            continue;
        };
        probed += 1;
        assert!(says(&command, "200 OK", WELL), "{name} answered 200");
        for status in ["503 Service Unavailable", "500 Internal Server Error"] {
            assert!(
                !says(&command, status, UNWELL),
                "{name} answered {status}: {command}"
            );
        }
    }
    assert!(probed >= 2, "only {probed} containers speak HTTP by hand");
}

/// The shell's command that asks a container whether it is well, if it speaks HTTP itself.
fn spoken_by_hand(service: &Service) -> Option<String> {
    let probe = service.healthcheck.as_ref()?;
    let [kind, command] = probe.test.as_slice() else {
        panic!("no command: {:?}", probe.test)
    };
    assert_eq!(kind, "CMD-SHELL");
    // Compose's way to write a dollar.
    let command = command.replace("$$", "$");
    command.contains("HTTP/1").then_some(command)
}

/// Whether the command is content with a server that answers all with `status` and `body`.
fn says(command: &str, status: &str, body: &str) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody asks");
        let mut asked = BufReader::new(&stream).lines().map_while(Result::ok);
        while asked.next().is_some_and(|line| !line.is_empty()) {}
        // Whoever has read enough may be gone.
        let _ = (&stream).write_all(answer.as_bytes());
    });
    let asked = Command::new("sh")
        .args(["-c", &at(command, port)])
        .output()
        .expect("a shell");
    // Where it did not ask, this does, or the server would wait for ever.
    let _ = TcpStream::connect(("127.0.0.1", port));
    server.join().expect("it was asked");
    asked.status.success()
}

/// The command with another port in the place of the container's own.
fn at(command: &str, port: u16) -> String {
    const HOST: &str = "/dev/tcp/127.0.0.1/";
    let (before, after) = command.split_once(HOST).expect("it asks on loopback");
    let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
    format!("{before}{HOST}{port}{rest}")
}
