//! Renders every `stack/<part>/*.j2`, and `observability/*.j2`, from the
//! topology: for a native stack into `.stack/<profile>/<part>/`, for Compose
//! into files that are committed. A name that the topology does not have is an
//! error, never an empty text.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, path_loader, syntax::SyntaxConfig, value::Serde,
};

use crate::{
    checkout::{Checkout, Profile},
    topology::Topology,
};

const SUFFIX: &str = ".j2";
/// What Compose needs instead of the declarations of native processes, and where its files lie.
const COMPOSE: &str = "compose";
const COMPOSE_FILE: &str = "docker-compose.yaml";
const PROCESSES: &str = "process.yaml";

/// A file as a template and the topology make it.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// Where it belongs.
    pub(crate) target: PathBuf,
    text: String,
}

impl Rendered {
    /// Whether the file says something else, or is not there.
    pub(crate) fn is_outdated(&self) -> bool {
        fs::read(&self.target).map_or(true, |existing| existing != self.text.as_bytes())
    }

    fn write(&self) -> Result<()> {
        if !self.is_outdated() {
            return Ok(());
        }
        if let Some(folder) = self.target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.target, &self.text)
            .with_context(|| format!("{} cannot be written", self.target.display()))
    }
}

/// Writes what [`render`] answers; a native stack's `topology.json`, too.
///
/// # Errors
/// When a template names something that is not in the topology, or a file
/// cannot be read or written.
pub(crate) fn write_all(checkout: &Checkout, topology: &Topology) -> Result<Vec<PathBuf>> {
    if topology.profile != Profile::Compose {
        topology.write()?;
    }
    let rendered = render(checkout, topology)?;
    rendered.iter().try_for_each(Rendered::write)?;
    Ok(rendered.into_iter().map(|file| file.target).collect())
}

/// Renders all templates of the topology's profile.
///
/// # Errors
/// When a template names something that is not in the topology, or cannot be
/// read.
pub(crate) fn render(checkout: &Checkout, topology: &Topology) -> Result<Vec<Rendered>> {
    let environment = environment(checkout.root())?;
    let mut names = find_below(checkout, "stack")?;
    names.extend(find(checkout, "observability")?);
    names.sort();
    let mut rendered = Vec::new();
    for name in names {
        let Some(target) = target(&name, checkout, topology) else {
            continue;
        };
        let text = environment
            .get_template(&name)
            .and_then(|template| template.render(Serde(topology)))
            .with_context(|| format!("{name} cannot be rendered"))?;
        rendered.push(Rendered { target, text });
    }
    Ok(rendered)
}

fn environment(root: &Path) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_loader(path_loader(root));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_syntax(
        SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    Ok(environment)
}

/// The templates of every folder in `parent`, as paths from the checkout's top.
fn find_below(checkout: &Checkout, parent: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in fs::read_dir(checkout.root().join(parent))? {
        let folder = folder?;
        if folder.path().is_dir() {
            let folder = format!("{parent}/{}", folder.file_name().to_string_lossy());
            names.extend(find(checkout, &folder)?);
        }
    }
    Ok(names)
}

/// The templates in `folder`, as paths from the checkout's top.
fn find(checkout: &Checkout, folder: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(checkout.root().join(folder))? {
        let name = file?.file_name().to_string_lossy().into_owned();
        if name.ends_with(SUFFIX) {
            names.push(format!("{folder}/{name}"));
        }
    }
    Ok(names)
}

/// Where a template's text belongs; nowhere if the profile has no use for it.
fn target(name: &str, checkout: &Checkout, topology: &Topology) -> Option<PathBuf> {
    let file = name.trim_end_matches(SUFFIX);
    let file = file.strip_prefix("stack/").unwrap_or(file);
    let of_compose = file.strip_prefix(COMPOSE).is_some();
    match topology.profile {
        Profile::Compose if of_compose => Some(checkout.root().join(COMPOSE_FILE)),
        Profile::Compose if file.ends_with(PROCESSES) => None,
        Profile::Compose => Some(checkout.stack().join(COMPOSE).join(file)),
        Profile::Dev | Profile::Test if of_compose => None,
        Profile::Dev | Profile::Test => Some(topology.directories.state.join(file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkout::Profile;

    #[test]
    fn a_name_that_the_topology_lacks_is_an_error() {
        let environment = environment(Path::new(".")).expect("a valid syntax");
        assert!(environment.render_str("{{ no_such_name }}", ()).is_err());
    }

    #[test]
    fn every_template_of_the_checkout_renders_for_both_profiles() {
        let scratch = crate::scratch::Scratch::new("templates");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let checkout = Checkout::new(root, scratch.path());
        for profile in [Profile::Dev, Profile::Test] {
            let mut topology =
                Topology::new(&checkout, profile).expect("the manifests are readable");
            topology.directories.state = scratch.path().join(profile.name());
            let written = write_all(&checkout, &topology).expect("all templates render");
            for name in ["postgres/process.yaml", "observability/jaeger.yaml"] {
                assert!(written.iter().any(|file| file.ends_with(name)), "{name}");
            }
        }
    }

    #[test]
    fn the_committed_files_of_compose_equal_a_fresh_rendering() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let checkout = Checkout::new(root, "/cache");
        let topology = Topology::new(&checkout, Profile::Compose).expect("fixed folders");
        let rendered = render(&checkout, &topology).expect("all templates render");
        let outdated: Vec<_> = rendered.iter().filter(|file| file.is_outdated()).collect();
        assert!(rendered.len() > 5);
        assert!(
            outdated.is_empty(),
            "run `cargo stack --profile compose render`: {outdated:?}"
        );
    }

    #[test]
    fn what_compose_is_told_is_the_same_on_every_machine() {
        let of = |root: &str, cache: &str| {
            let checkout = Checkout::new(root, cache);
            let topology = Topology::new(&checkout, Profile::Compose).expect("fixed folders");
            serde_json::to_value(topology).expect("plain data")
        };
        let (mut here, mut there) = (of("/a", "/b"), of("/c", "/d"));
        // Who runs the command matters to native processes alone.
        for topology in [&mut here, &mut there] {
            topology["postgres"]["run_as"] = serde_json::Value::Null;
        }
        assert_eq!(here, there);
    }
}
