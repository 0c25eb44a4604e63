//! From a document to the bytes of a file. A format has a module of its own.

mod csv;
mod json;
mod words;

use super::Form;
use super::document::Document;
use crate::error::Error;

/// The bytes of the file: the same document makes the same bytes.
pub(crate) fn render(document: &Document, form: Form) -> Result<Vec<u8>, Error> {
    match form {
        Form::Csv(language) => csv::render(document, language),
        Form::Json => json::render(document),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, path::Path};

    use super::*;
    use crate::export::Language;
    use crate::export::document::tests::full_report;
    use crate::export::keys::TEMPLATE;

    /// A file that is made once more has to have the bytes that caches have under its name, and names
    /// hold the template's version: whatever makes other bytes raises `TEMPLATE`. Then the files of
    /// the new version come into a folder of their own, and those of the old one go.
    #[test]
    fn a_template_makes_the_bytes_that_it_always_made() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/export/render/golden");
        let document = Document::of(&full_report());
        for (form, file) in [
            (Form::Csv(Language::English), "en.csv"),
            (Form::Csv(Language::Russian), "ru.csv"),
            (Form::Json, "json"),
        ] {
            let path = folder.join(format!("v{TEMPLATE}/report.{file}"));
            let made = render(&document, form).unwrap();
            let golden = fs::read(&path).unwrap_or_default();
            assert!(
                made == golden,
                "raise TEMPLATE: {} is made otherwise now:\n{}",
                path.display(),
                String::from_utf8_lossy(&made)
            );
        }
    }
}
