//! Renders every `stack/<part>/*.j2` from the topology into
//! `.stack/<profile>/<part>/`. A name that the topology does not have is an
//! error, never an empty text.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};

use crate::{checkout::Checkout, topology::Topology};

const SUFFIX: &str = ".j2";

/// Renders all templates and writes `topology.json`.
///
/// # Errors
/// When a template names something that is not in the topology, or a file
/// cannot be read or written.
pub(crate) fn render_all(checkout: &Checkout, topology: &Topology) -> Result<Vec<PathBuf>> {
    topology.write()?;
    let environment = environment()?;
    let mut written = Vec::new();
    for template in find(&checkout.stack())? {
        let target = target(&template, &checkout.stack(), topology)?;
        let source = fs::read_to_string(&template)?;
        let text = environment
            .render_named_str(&template.to_string_lossy(), &source, Serde(topology))
            .with_context(|| format!("{} cannot be rendered", template.display()))?;
        write_if_changed(&target, &text)?;
        written.push(target);
    }
    Ok(written)
}

fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
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

fn find(stack: &Path) -> Result<Vec<PathBuf>> {
    let mut templates = Vec::new();
    for folder in fs::read_dir(stack)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(folder)? {
            let file = file?.path();
            if file.to_string_lossy().ends_with(SUFFIX) {
                templates.push(file);
            }
        }
    }
    templates.sort();
    Ok(templates)
}

fn target(template: &Path, stack: &Path, topology: &Topology) -> Result<PathBuf> {
    let relative = template.strip_prefix(stack)?.to_string_lossy().into_owned();
    Ok(topology
        .directories
        .state
        .join(relative.trim_end_matches(SUFFIX)))
}

fn write_if_changed(target: &Path, text: &str) -> Result<()> {
    if fs::read(target).is_ok_and(|existing| existing == text.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(target, text).with_context(|| format!("{} cannot be written", target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkout::Profile;

    #[test]
    fn a_name_that_the_topology_lacks_is_an_error() {
        let environment = environment().expect("a valid syntax");
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
            let written = render_all(&checkout, &topology).expect("all templates render");
            assert!(
                written
                    .iter()
                    .any(|file| file.ends_with("postgres/process.yaml"))
            );
        }
    }
}
