//! From a document to the bytes of a file. A format has a module of its own.

mod csv;
mod json;
mod words;

use super::document::Document;
use super::{Format, Language};
use crate::error::Error;

/// The bytes of the file: the same document makes the same bytes.
pub(crate) fn render(
    document: &Document,
    format: Format,
    language: Language,
) -> Result<Vec<u8>, Error> {
    match format {
        Format::Csv => csv::render(document, language),
        Format::Json => json::render(document),
    }
}
