//! Where a page of exports ends, as a text that means nothing to callers (AIP-158).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bionicpro_mesh::request::WrongField;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::export::{Export, ExportId};

/// The last export of a page; the next page begins behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExportPage {
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) id: ExportId,
}

impl ExportPage {
    pub(crate) fn behind(export: &Export) -> Self {
        Self {
            created_at: export.created_at,
            id: export.id,
        }
    }

    pub(crate) fn encode(self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.created_at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(self.id.0.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn decode(text: &str) -> Result<Self, WrongField> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let page = bytes.and_then(|bytes| {
            let (micros, id) = bytes.split_first_chunk()?;
            Some(Self {
                created_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?,
                id: ExportId(Uuid::from_slice(id).ok()?),
            })
        });
        // Postgres keeps years that chrono does, but not all of them.
        page.filter(|page| (1970..10_000).contains(&chrono::Datelike::year(&page.created_at)))
            .ok_or(WrongField::PAGE_TOKEN)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_is_read_as_it_was_written(micros in 0..4_000_000_000_000_000_i64, id: u128) {
            let page = ExportPage {
                created_at: DateTime::from_timestamp_micros(micros).unwrap(),
                id: ExportId(Uuid::from_u128(id)),
            };
            prop_assert_eq!(ExportPage::decode(&page.encode()), Ok(page));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
            let _ = ExportPage::decode(&text);
        }
    }
}
