//! Where a page of runs ends, as a text that means nothing to callers (AIP-158).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bionicpro_mesh::request::WrongField;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::run::{Run, RunId};

/// The last run of a page; the next page begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageToken {
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) run_id: RunId,
}

impl PageToken {
    pub(crate) fn behind(run: &Run) -> Self {
        Self {
            created_at: run.created_at,
            run_id: run.id,
        }
    }

    pub(crate) fn encode(self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.created_at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(self.run_id.0.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn decode(text: &str) -> Result<Self, WrongField> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let token = bytes.and_then(|bytes| {
            let (micros, run_id) = bytes.split_first_chunk()?;
            Some(Self {
                created_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?,
                run_id: RunId(Uuid::from_slice(run_id).ok()?),
            })
        });
        token.ok_or(WrongField::PAGE_TOKEN)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_comes_back_as_it_was(micros in 0i64..4_000_000_000_000_000, id in any::<u128>()) {
            let token = PageToken {
                created_at: DateTime::from_timestamp_micros(micros).unwrap(),
                run_id: RunId(Uuid::from_u128(id)),
            };
            prop_assert_eq!(PageToken::decode(&token.encode()).unwrap(), token);
        }

        #[test]
        fn any_text_is_a_token_or_refused(text in ".{0,64}") {
            let _ = PageToken::decode(&text);
        }
    }

    #[test]
    fn a_token_that_is_cut_is_refused() {
        let token = PageToken {
            created_at: Utc::now(),
            run_id: RunId::new(),
        }
        .encode();
        assert!(PageToken::decode(&token[..token.len() - 2]).is_err());
    }
}
