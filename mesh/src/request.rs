//! What a request says that no rule of the contract can check by itself: identifiers, days, page
//! tokens. What the values mean is the services'.

use chrono::NaiveDate;
use tonic::Code;
use uuid::Uuid;

use crate::status::{Failure, Reason};

/// A field of a request that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct WrongField {
    /// Why, for programs.
    pub reason: Reason,
    /// The field's path, for example `period.day`.
    pub field: &'static str,
    /// What is wrong with it and what to do, as a sentence.
    pub problem: &'static str,
}

impl WrongField {
    /// A token of a page that the list has not made, or not for these parameters.
    pub const PAGE_TOKEN: Self = Self {
        reason: Reason::PageTokenInvalid,
        field: "page_token",
        problem: "The page token is not one that this list has made for these parameters.",
    };

    /// Days that are not a period.
    #[must_use]
    pub fn period(field: &'static str, problem: &'static str) -> Self {
        let reason = Reason::PeriodInvalid;
        Self {
            reason,
            field,
            problem,
        }
    }
}

impl From<WrongField> for Failure {
    fn from(wrong: WrongField) -> Self {
        Self::new(Code::InvalidArgument, wrong.reason, wrong.problem)
            .field(wrong.field, wrong.problem)
    }
}

/// The identifier in a field.
///
/// # Errors
/// It is not a UUID.
pub fn id(field: &'static str, text: &str) -> Result<Uuid, WrongField> {
    text.parse().map_err(|_| WrongField {
        reason: Reason::InvalidField,
        field,
        problem: "The identifier is not a UUID.",
    })
}

/// The day in a field, written `YYYY-MM-DD`.
///
/// # Errors
/// It is written otherwise, or does not exist.
pub fn day(field: &'static str, text: &str) -> Result<NaiveDate, WrongField> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        // chrono also takes 2026-1-2 and +2026-01-02.
        .filter(|day| day.to_string() == text)
        .ok_or(WrongField::period(
            field,
            "Write a day that exists as YYYY-MM-DD.",
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_taken_only_as_the_contract_writes_it() {
        assert!(day("day", "2028-02-29").is_ok());
        for text in ["", "2026-02-29", "2026-2-0001", "+026-02-01", "2026-1-2"] {
            assert_eq!(
                day("day", text).map_err(|it| it.field),
                Err("day"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_wrong_field_is_named_with_its_reason() {
        let failure = Failure::from(WrongField::PAGE_TOKEN);
        assert_eq!(failure.reason(), Reason::PageTokenInvalid);
        assert_eq!(
            id("run_id", "7").map_err(|it| it.reason),
            Err(Reason::InvalidField)
        );
    }
}
