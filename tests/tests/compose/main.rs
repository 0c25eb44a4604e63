//! The files for containers, as the Compose project's and BuildKit's own parsers read them: whether
//! they hold together, whether the images can be built, whether an engine can start them.

mod engine;
mod health;
mod images;
mod model;
mod settings;

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::de::DeserializeOwned;

/// The top folder of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the program in `stack/compose/inspect` makes of a file of the checkout.
fn inspect<T: DeserializeOwned>(kind: &str, file: &str) -> T {
    inspect_with(kind, file, "")
}

/// The same, where it needs to be told something.
fn inspect_with<T: DeserializeOwned>(kind: &str, file: &str, input: &str) -> T {
    let program = std::env::var_os("BIONICPRO_INSPECT")
        .expect("BIONICPRO_INSPECT is not set: run `cargo stack test compose`");
    let mut told = tempfile::tempfile().expect("a file");
    told.write_all(input.as_bytes()).expect("writable");
    told.rewind().expect("a plain file");
    let output = Command::new(program)
        .args([kind, file])
        .current_dir(root())
        .env_remove("COMPOSE_FILE")
        .stdin(told)
        .output()
        .expect("the parser starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{file} is refused: {said}");
    serde_json::from_slice(&output.stdout).expect("the parser answers JSON")
}
