//! The reasons of the contract and the pages of docs/errors are the same list.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bionicpro_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::DescriptorPool;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors");

fn reasons() -> BTreeSet<String> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let reason = pool.get_enum_by_name("bionicpro.error.v1.Reason").unwrap();
    let names = reason.values().filter(|value| value.number() != 0);
    names
        .map(|value| value.name().strip_prefix("REASON_").unwrap().to_owned())
        .collect()
}

#[test]
fn the_pages_are_those_of_the_reasons() {
    let entries = fs::read_dir(PAGES)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let pages: BTreeSet<_> = entries
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "README")
        .collect();
    assert_eq!(pages, reasons());
}

#[test]
fn a_page_begins_with_its_reason_and_says_what_to_do() {
    for reason in reasons() {
        let page = fs::read_to_string(Path::new(PAGES).join(format!("{reason}.md"))).unwrap();
        assert!(page.starts_with(&format!("# {reason}\n")), "{reason}");
        assert!(page.contains("\nStatus: `"), "{reason}");
        assert!(page.contains("\n## What to do\n"), "{reason}");
    }
}

#[test]
fn the_index_links_every_page() {
    let index = fs::read_to_string(Path::new(PAGES).join("README.md")).unwrap();
    for reason in reasons() {
        assert!(
            index.contains(&format!("[{reason}]({reason}.md)")),
            "{reason} is not in the index"
        );
    }
}
