//! How a reason is written in `google.rpc.ErrorInfo`.

use crate::error::v1::Reason;

/// The domain of the reasons (AIP-193).
pub const DOMAIN: &str = "bionicpro";

impl Reason {
    /// The name that `ErrorInfo.reason` carries: without the prefix `REASON_`.
    #[must_use]
    pub fn as_reason(self) -> &'static str {
        let name = self.as_str_name();
        name.strip_prefix("REASON_").unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_sent_without_its_prefix() {
        assert_eq!(Reason::RunNotFound.as_reason(), "RUN_NOT_FOUND");
    }
}
