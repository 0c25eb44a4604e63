//! The files for containers, as the Compose project's and BuildKit's own parsers read them: whether
//! they hold together, whether the images can be built, whether an engine can start them.

mod engine;
mod health;
mod images;
mod model;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::de::DeserializeOwned;

/// The top folder of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the program in `stack/compose/inspect` makes of a file of the checkout.
fn inspect<T: DeserializeOwned>(kind: &str, file: &str) -> T {
    let program = std::env::var_os("BIONICPRO_INSPECT")
        .expect("BIONICPRO_INSPECT is not set: run `cargo stack test compose`");
    let output = Command::new(program)
        .args([kind, file])
        .current_dir(root())
        .env_remove("COMPOSE_FILE")
        .output()
        .expect("the parser starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{file} is refused: {said}");
    serde_json::from_slice(&output.stdout).expect("the parser answers JSON")
}
