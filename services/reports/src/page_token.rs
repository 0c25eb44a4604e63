//! Where a page of reports ends, as a text that means nothing to callers (AIP-158).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bionicpro_mesh::request::WrongField;
use chrono::{Datelike as _, NaiveDate};

use crate::period::CalendarKind;

/// The first day of the last period of a page; the next page lies before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageToken {
    pub(crate) kind: CalendarKind,
    pub(crate) before: NaiveDate,
}

impl PageToken {
    pub(crate) fn encode(self) -> String {
        let mut bytes = [tag(self.kind), 0, 0, 0, 0];
        bytes[1..].copy_from_slice(&self.before.num_days_from_ce().to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token of a list of `kind`.
    pub(crate) fn decode(text: &str, kind: CalendarKind) -> Result<Self, WrongField> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let before = bytes.and_then(|bytes| {
            let (made_for, days) = bytes.split_first()?;
            let days = i32::from_be_bytes(days.try_into().ok()?);
            NaiveDate::from_num_days_from_ce_opt(days).filter(|_| *made_for == tag(kind))
        });
        let before = before.ok_or(WrongField::PAGE_TOKEN)?;
        Ok(Self { kind, before })
    }
}

fn tag(kind: CalendarKind) -> u8 {
    match kind {
        CalendarKind::Day => b'd',
        CalendarKind::Week => b'w',
        CalendarKind::Month => b'm',
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_comes_back_as_it_was(days in 1i32..800_000) {
            let before = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let token = PageToken { kind: CalendarKind::Week, before };
            prop_assert_eq!(PageToken::decode(&token.encode(), CalendarKind::Week).unwrap(), token);
        }

        #[test]
        fn any_text_is_a_token_or_refused(text in ".{0,16}") {
            let _ = PageToken::decode(&text, CalendarKind::Day);
        }
    }

    #[test]
    fn a_token_of_another_kind_is_refused() {
        let before = NaiveDate::MIN;
        let kind = CalendarKind::Day;
        let token = PageToken { kind, before }.encode();
        assert!(PageToken::decode(&token, CalendarKind::Month).is_err());
    }
}
