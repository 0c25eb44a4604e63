//! The Dockerfile's own build steps, run without an engine: each building stage in an empty folder
//! that holds what the stage copies, and nothing else. What the images copy out has to be there.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use tempfile::TempDir;

use crate::{inspect, inspect_with, root};

/// Where the building stages work.
const WORKDIR: &str = "/build";
/// Where the stage of the jars lays Kafka, Connect's connector and its telemetry, and how jars begin
/// there without which they do not start, or are not traced.
const JARS: [(&str, &str); 6] = [
    ("kafka/libs", "kafka_"),
    ("kafka/libs", "kafka-tools-"),
    ("kafka/libs", "connect-runtime-"),
    (
        "debezium/plugins/debezium-connector-postgres",
        "debezium-connector-postgres-",
    ),
    (
        "debezium/opentelemetry",
        "opentelemetry-sdk-extension-autoconfigure-",
    ),
    ("debezium/opentelemetry", "opentelemetry-exporter-otlp-"),
];

#[derive(Deserialize)]
pub(crate) struct Stage {
    pub(crate) name: String,
    base: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    kind: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    target: String,
    #[serde(default)]
    script: String,
    #[serde(default)]
    caches: Vec<Cache>,
}

#[derive(Deserialize)]
struct Cache {
    id: String,
    target: String,
}

impl Stage {
    fn builds(&self) -> bool {
        let workdir = |step: &Step| step.kind == "workdir" && step.target == WORKDIR;
        self.steps.iter().any(workdir)
    }
}

fn stages() -> Vec<Stage> {
    inspect("dockerfile", "Dockerfile")
}

/// The folders of all stages that build, by their names; later stages copy from earlier ones.
fn build(stages: &[Stage]) -> BTreeMap<&str, TempDir> {
    forget_our_programs();
    let mut built = BTreeMap::new();
    for stage in stages.iter().filter(|stage| stage.builds()) {
        let folder = tempfile::tempdir().expect("a folder");
        for step in &stage.steps {
            match step.kind.as_str() {
                "copy" => copy(step, folder.path(), &built),
                "run" => run(step, folder.path()),
                _ => {}
            }
        }
        built.insert(stage.name.as_str(), folder);
    }
    built
}

/// All in one test: the stages are built once.
#[test]
fn the_build_steps_run_in_an_empty_folder_and_make_what_the_images_copy() {
    let stages = stages();
    let built = build(&stages);
    assert!(built.len() >= 5);
    let copied = stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .filter(|step| step.kind == "copy");
    for step in copied.filter(|step| built.contains_key(step.from.as_str())) {
        for source in &step.sources {
            let file = in_stage(&built, &step.from, source);
            assert!(file.exists(), "{} does not make {source}", step.from);
        }
    }
    for (folder, name) in JARS {
        let inside = in_stage(&built, "jars", &format!("{WORKDIR}/out/{folder}"));
        assert!(has_jar(&inside, name), "no {name}….jar in {folder}");
    }
}

fn has_jar(folder: &Path, name: &str) -> bool {
    let Ok(files) = fs::read_dir(folder) else {
        return false;
    };
    files
        .map(|file| file.expect("readable").file_name())
        .any(|file| {
            let file = file.to_string_lossy();
            file.starts_with(name) && file.ends_with(".jar")
        })
}

/// Stages are built side by side, and what fills a cache locks it elsewhere, if at all.
#[test]
fn no_two_stages_write_to_the_same_cache() {
    let stages = stages();
    let mut users = BTreeMap::new();
    for stage in &stages {
        for cache in stage.steps.iter().flat_map(|step| &step.caches) {
            let Cache { id, target } = cache;
            let user = users.entry(id).or_insert(&stage.name);
            assert_eq!(*user, &stage.name, "{id}, which both have at {target}");
        }
    }
    assert!(users.len() >= 5, "{users:?}");
}

/// Every file that an image copies from the checkout, in stages that no test builds, too.
#[test]
fn what_is_copied_from_the_checkout_is_sent_to_an_engine() {
    let stages = stages();
    let steps = stages.iter().flat_map(|stage| &stage.steps);
    let copies = steps.filter(|step| step.kind == "copy" && step.from.is_empty());
    let sources: Vec<_> = copies.flat_map(|step| &step.sources).collect();
    assert!(sources.len() > 10, "{sources:?}");
    for source in sources {
        assert!(!sent(source).is_empty(), "{source} is not sent");
    }
    assert_eq!(sent("docs"), [""; 0], "what nobody copies is sent");
}

#[test]
fn programs_are_compiled_by_the_compiler_that_the_checkout_names() {
    let named = fs::read_to_string(root().join("rust-toolchain.toml")).expect("readable");
    let version = named
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .expect("a channel")
        .trim_matches('"');
    let stages = stages();
    let compilers = stages
        .iter()
        .filter(|stage| stage.base.starts_with("rust:"));
    let compilers: Vec<_> = compilers.map(|stage| stage.base.clone()).collect();
    assert_eq!(compilers, vec![format!("rust:{version}-bookworm"); 2]);
}

#[test]
fn images_of_ours_run_as_nobody_in_particular() {
    let stages = stages();
    let user = |stage: &Stage| {
        let mut users = stage.steps.iter().filter(|step| step.kind == "user");
        users.next_back().map(|step| step.target.clone())
    };
    let runtime = stages.iter().find(|stage| stage.name == "runtime");
    assert_eq!(runtime.and_then(user).as_deref(), Some("10001:10001"));
    for name in ["auth", "reports", "ingest", "cdc", "gateway"] {
        let stage = stages.iter().find(|stage| stage.name == name);
        let stage = stage.unwrap_or_else(|| panic!("no stage {name}"));
        assert_eq!(stage.base, "runtime", "{name}");
        assert_eq!(user(stage), None, "{name} changes its user");
    }
    for name in ["stack", "kafka"] {
        let stage = stages.iter().find(|stage| stage.name == name);
        assert_eq!(
            stage.and_then(user).as_deref(),
            Some("10001:10001"),
            "{name}"
        );
    }
}

fn in_stage(built: &BTreeMap<&str, TempDir>, stage: &str, path: &str) -> PathBuf {
    let inside = path
        .strip_prefix(WORKDIR)
        .unwrap_or_else(|| panic!("{path} of {stage} is not below {WORKDIR}"));
    built[stage].path().join(inside.trim_start_matches('/'))
}

/// Copies as an engine does: a folder's content, a file under its name or into a folder. From the
/// checkout only what is committed, or would be, and is sent to an engine.
fn copy(step: &Step, folder: &Path, built: &BTreeMap<&str, TempDir>) {
    let target = folder.join(&step.target);
    for source in &step.sources {
        if step.from.is_empty() {
            copy_committed(source, step, folder);
        } else {
            let source = in_stage(built, &step.from, source);
            fs::create_dir_all(target.parent().expect("below the folder")).expect("writable");
            sh(Command::new("cp").arg("-r").arg(source).arg(&target));
        }
    }
}

fn copy_committed(source: &str, step: &Step, folder: &Path) {
    let files = sent(source);
    assert!(!files.is_empty(), "{source} is not sent to an engine");
    for file in files.iter().filter(|file| root().join(file).is_file()) {
        let inside = file.strip_prefix(source).unwrap_or_default();
        let target = match inside {
            "" if step.target.ends_with('/') => folder
                .join(&step.target)
                .join(Path::new(file).file_name().expect("a file")),
            "" => folder.join(&step.target),
            inside => folder
                .join(&step.target)
                .join(inside.trim_start_matches('/')),
        };
        fs::create_dir_all(target.parent().expect("below the folder")).expect("writable");
        fs::copy(root().join(file), target).expect("it can be copied");
    }
}

/// The files below a path that `.dockerignore` lets through.
fn sent(path: &str) -> Vec<String> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
            path,
        ])
        .current_dir(root())
        .output()
        .expect("git runs");
    let listed = String::from_utf8(listed.stdout).expect("names are text");
    assert!(!listed.is_empty(), "{path} is not in the checkout");
    inspect_with("dockerignore", ".dockerignore", &listed)
}

/// Runs a step's script; what only installs Debian packages is done by `cargo stack` already.
fn run(step: &Step, folder: &Path) {
    if step.script.starts_with("apt-get ") {
        return packages_are_known(&step.script);
    }
    let mut shell = Command::new("sh");
    for (name, _) in env::vars_os() {
        // Cargo's words about this test: crates that look at them would be built anew.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            shell.env_remove(name);
        }
    }
    sh(shell
        .args(["-euc", &step.script])
        .current_dir(folder)
        // Unoptimized and into the folder where this test's own dependencies lie: the same steps,
        // in a tenth of the time.
        .env("CARGO_PROFILE", "dev")
        .env("CARGO_OUTPUT", "debug")
        .env("CARGO_TARGET_DIR", target_folder())
        .env_remove("RUSTFLAGS"));
}

/// Takes away what other suites built, so that a step that no longer builds it is found out.
fn forget_our_programs() {
    let folder = target_folder().join("debug");
    for entry in fs::read_dir(folder).expect("this program lies below") {
        let file = entry.expect("readable").path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("bionicpro-") && file.extension().is_none() {
            fs::remove_file(&file).expect("ours to remove");
        }
    }
}

fn target_folder() -> PathBuf {
    let test = std::env::current_exe().expect("this program lies somewhere");
    test.ancestors()
        .nth(3)
        .expect("target/debug/deps")
        .to_owned()
}

fn packages_are_known(script: &str) {
    let known = fs::read_to_string(root().join("stack/debian-packages.txt")).expect("readable");
    let known: Vec<_> = known.lines().collect();
    let packages = script
        .split_whitespace()
        .skip_while(|word| *word != "install")
        .skip(1)
        .take_while(|word| *word != "&&")
        .filter(|word| !word.starts_with("--"));
    for package in packages {
        assert!(
            known.contains(&package),
            "`cargo stack` does not install {package}"
        );
    }
}

fn sh(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
