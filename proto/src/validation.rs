//! Whether a request keeps the `buf.validate` rules of its contract. The build generates the
//! checks; what a single rule means is in `rules`.

mod rules;

#[allow(unused_variables, clippy::all)]
mod checks {
    use super::{Validate, Violation, rules};

    include!(concat!(env!("OUT_DIR"), "/validation.rs"));
}

use std::borrow::Cow;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::DOMAIN;
use crate::error::v1::Reason;

/// A rule that a message breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, for example `period.kind` or `items[2].name`.
    pub field: String,
    /// The rule as protovalidate names it, for example `string.min_len`.
    pub rule: &'static str,
    /// What the value must be.
    pub message: Cow<'static, str>,
}

/// All rules that a message breaks: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

/// A message whose contract may have rules.
pub trait Validate {
    /// Adds every rule that the message breaks.
    fn check(&self, broken: &mut Vec<Violation>);

    /// Checks the message.
    ///
    /// # Errors
    /// Every rule that it breaks.
    fn validate(&self) -> Result<(), Violations> {
        let mut broken = Vec::new();
        self.check(&mut broken);
        if broken.is_empty() {
            Ok(())
        } else {
            Err(Violations(broken))
        }
    }
}

impl Violations {
    /// The violations, in the order of the contract.
    #[must_use]
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }

    /// `INVALID_ARGUMENT` with the fields in `google.rpc.BadRequest` (AIP-193).
    #[must_use]
    pub fn into_status(self) -> Status {
        let fields: Vec<_> = self
            .0
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        let message = format!(
            "Correct these fields and call again: {}.",
            fields.join(", ")
        );
        let mut details = invalid_field();
        details.set_bad_request(
            self.0
                .into_iter()
                .map(FieldViolation::from)
                .collect::<Vec<_>>(),
        );
        Status::with_error_details(Code::InvalidArgument, message, details)
    }
}

impl From<Violation> for FieldViolation {
    fn from(violation: Violation) -> Self {
        Self {
            field: violation.field,
            description: violation.message.into_owned(),
            reason: violation.rule.replace('.', "_").to_uppercase(),
            localized_message: None,
        }
    }
}

/// The answer to bytes that are not the message of the contract.
pub(crate) fn undecodable() -> Status {
    let message = "The request is not a message of the contract: send the type that it names.";
    Status::with_error_details(Code::InvalidArgument, message, invalid_field())
}

fn invalid_field() -> ErrorDetails {
    ErrorDetails::with_error_info(Reason::InvalidField.as_reason(), DOMAIN, [])
}
