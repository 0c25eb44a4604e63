//! What `.env` can change, and what `.env.example` says of it.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;

use crate::root;

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).expect("readable")
}

/// Names and defaults of the variables that Compose puts in; two defaults of one name are two.
fn put_in(file: &str) -> BTreeSet<(String, String)> {
    let variable = Regex::new(r"\$\{?(\w+)(?::-([^}]*)\})?").expect("a pattern");
    // Two dollars are one for the shell of a container.
    let text = read(file).replace("$$", "");
    variable
        .captures_iter(&text)
        .map(|found| {
            let default = found.get(2).map_or("", |it| it.as_str());
            (found[1].to_owned(), default.to_owned())
        })
        .collect()
}

#[test]
fn the_example_has_every_variable_with_its_default_and_no_other() {
    let example = read(".env.example");
    let lines = example.lines().map(str::trim);
    let set: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').expect("NAME=value"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(set.len() >= 8, "{set:?}");
    let variables = put_in("docker-compose.yaml");
    assert_eq!(BTreeSet::from_iter(set), variables);
}
