//! Runs the ClickHouse engine of the npm package `@chdb/lib-linux-x64-gnu` as
//! a server: loads the library, hands it a clickhouse-local command line that
//! opens its listeners, and lets its query end when a signal arrives.
//!
//! usage: clickhouse-host LIBRARY CONFIG DATA HOST HTTP_PORT NATIVE_PORT

use std::{
    env,
    ffi::{CString, c_char, c_int},
    thread,
};

use anyhow::{Context, Result, bail};
use libloading::{Library, Symbol};
use rustix::{pipe::pipe, stdio::dup2_stdin};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// The query that keeps the engine alive: it ends when stdin does, and then the
/// engine shuts down in order.
const SERVE: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
    SELECT count() FROM file('/dev/stdin', 'LineAsString', 'line String') FORMAT Null";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [library, config, data, host, http_port, native_port] = arguments.as_slice() else {
        bail!("usage: clickhouse-host LIBRARY CONFIG DATA HOST HTTP_PORT NATIVE_PORT");
    };
    end_stdin_on_signal()?;
    run(
        library,
        &[
            "clickhouse".to_owned(),
            format!("--config-file={config}"),
            format!("--path={data}"),
            format!("--listen_host={host}"),
            format!("--http_port={http_port}"),
            format!("--tcp_port={native_port}"),
            format!("--query={SERVE}"),
            "--".to_owned(),
            "--logger.level=warning".to_owned(),
        ],
    )
}

/// Puts a pipe in stdin's place whose writing end is closed by the first
/// SIGTERM or SIGINT.
fn end_stdin_on_signal() -> Result<()> {
    let (reader, writer) = pipe()?;
    dup2_stdin(reader)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        signals.forever().next();
        drop(writer);
    });
    Ok(())
}

/// Calls `chdb_query_cmdline(argc, argv)` and says what failed, if it did.
fn run(library: &str, arguments: &[String]) -> Result<()> {
    type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut Answer;
    type AnswerError = unsafe extern "C" fn(*mut Answer) -> *const c_char;

    let arguments: Vec<CString> = arguments
        .iter()
        .map(|argument| CString::new(argument.as_str()))
        .collect::<Result<_, _>>()?;
    let mut pointers: Vec<*mut c_char> = arguments
        .iter()
        .map(|argument| argument.as_ptr().cast_mut())
        .collect();
    let count = c_int::try_from(pointers.len())?;

    // SAFETY: the signatures are those of chdb.h of the pinned version; `arguments`
    // outlives the call; the answer is read before the process ends and never freed.
    unsafe {
        let library =
            Library::new(library).with_context(|| format!("{library} cannot be loaded"))?;
        let query: Symbol<'_, QueryCmdline> = library.get(b"chdb_query_cmdline\0")?;
        let error: Symbol<'_, AnswerError> = library.get(b"chdb_result_error\0")?;
        let answer = query(count, pointers.as_mut_ptr());
        if answer.is_null() {
            bail!("the engine answered nothing");
        }
        let message = error(answer);
        if !message.is_null() {
            bail!("{}", std::ffi::CStr::from_ptr(message).to_string_lossy());
        }
    }
    Ok(())
}

/// What the engine answers: only its address is known here.
#[repr(C)]
struct Answer {
    _opaque: [u8; 0],
}
