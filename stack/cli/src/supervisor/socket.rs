//! The supervisor's socket: whether a process listens on it, and which. What is
//! said over it is process-compose's own protocol and its client's business.

use std::{
    fs::File,
    io::ErrorKind,
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::Path,
};

use anyhow::{Context, Result};
use rustix::{net::sockopt::socket_peercred, process::Pid};

/// Relative to the state folder.
pub(super) const NAME: &str = "supervisor.sock";

/// The process that listens on the socket in `folder`; `None` when none does.
///
/// # Errors
/// When that cannot be told, for example because it is another user's.
pub(super) fn listener(folder: &Path) -> Result<Option<Pid>> {
    let unknown = || format!("cannot ask the supervisor of {}", folder.display());
    let opened = match File::open(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(unknown)?,
    };
    // The socket's own path could be longer than the 108 bytes that it may have.
    let path = format!("/proc/self/fd/{}/{NAME}", opened.as_raw_fd());
    match UnixStream::connect(path) {
        Ok(stream) => Ok(Some(socket_peercred(&stream).with_context(unknown)?.pid)),
        // Refused: it was left by a process that has ended.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error).with_context(unknown),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_process_that_listens_is_found() {
        let scratch = Scratch::new("socket-listener");
        let _listener = UnixListener::bind(scratch.path().join(NAME)).expect("bound");
        let found = listener(scratch.path()).expect("known");
        assert_eq!(found, Some(rustix::process::getpid()));
    }

    #[test]
    fn a_socket_that_was_left_behind_has_no_listener() {
        let scratch = Scratch::new("socket-left");
        drop(UnixListener::bind(scratch.path().join(NAME)).expect("bound"));
        assert!(scratch.path().join(NAME).exists());
        assert_eq!(listener(scratch.path()).expect("known"), None);
    }

    #[test]
    fn without_a_socket_or_its_folder_nobody_listens() {
        let scratch = Scratch::new("socket-none");
        assert_eq!(listener(scratch.path()).expect("known"), None);
        let gone = scratch.path().join("gone");
        assert_eq!(listener(&gone).expect("known"), None);
    }

    #[test]
    fn what_cannot_be_asked_is_not_taken_for_absent() {
        let scratch = Scratch::new("socket-unknown");
        std::os::unix::fs::symlink(NAME, scratch.path().join(NAME)).expect("a loop");
        let error = listener(scratch.path()).expect_err("unknown");
        assert!(error.to_string().contains("cannot ask"), "{error:#}");
    }
}
