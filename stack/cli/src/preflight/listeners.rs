//! Who listens on a port, as far as this user may see.

use procfs::{
    net::{TcpState, tcp, tcp6},
    process::{FDTarget, Process, all_processes},
};

/// The program that listens on `port`, with its process id.
pub(super) fn holder(port: u16) -> Option<String> {
    let sockets: Vec<u64> = [tcp(), tcp6()]
        .into_iter()
        .filter_map(Result::ok)
        .flatten()
        .filter(|socket| socket.state == TcpState::Listen && socket.local_address.port() == port)
        .map(|socket| socket.inode)
        .collect();
    let process = all_processes()
        .ok()?
        .filter_map(Result::ok)
        .find(|process| holds_one_of(process, &sockets))?;
    let name = process.stat().ok()?.comm;
    Some(format!("{name} (pid {})", process.pid))
}

fn holds_one_of(process: &Process, sockets: &[u64]) -> bool {
    let files = process.fd().into_iter().flatten().filter_map(Result::ok);
    files
        .map(|file| file.target)
        .any(|target| matches!(target, FDTarget::Socket(inode) if sockets.contains(&inode)))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn who_listens_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let named = holder(port).expect("this process");
        assert!(named.contains(&std::process::id().to_string()), "{named}");
    }

    #[test]
    fn who_is_connected_does_not_listen() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let connection =
            TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let port = connection.local_addr().expect("bound").port();
        assert_eq!(holder(port), None);
    }
}
