//! Who may call a method, for how long, and whether the call may be repeated. The table is made
//! from the option `bionicpro.policy.v1.access` of each method by the build.

use std::time::Duration;

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anybody, without a token.
    Public,
    /// A person who signed in.
    User,
    /// A program with a client-credentials token.
    Service,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// A watch stream: until the caller goes away.
    Unbounded,
    /// What the caller asks for, within limits.
    Bounded {
        /// For a call that asks for nothing.
        default: Duration,
        /// The longest that a call can ask for.
        maximum: Duration,
    },
}

/// What a second execution of the same call does (`MethodOptions.idempotency_level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It may do harm: never repeat the call.
    Unknown,
    /// Nothing at all: the method only reads.
    NoSideEffects,
    /// Nothing that the first did not do.
    Idempotent,
}

/// The access policy of one method.
#[derive(Debug, PartialEq, Eq)]
pub struct Policy {
    /// The kinds of caller admitted.
    pub audiences: &'static [Audience],
    /// Roles of which the caller needs one; none named: any caller of the audiences.
    pub roles: &'static [&'static str],
    /// Whether the browser's gateway forwards the method.
    pub browser: bool,
    /// Whether a user needs a recent second factor.
    pub step_up: bool,
    /// How long a call may take.
    pub deadline: Deadline,
    /// Whether a call may be repeated.
    pub idempotency: Idempotency,
    /// Whether the answer is a stream of messages.
    pub server_streaming: bool,
}

impl Idempotency {
    /// Whether a client may send the call again without knowing what became of the first.
    #[must_use]
    pub fn is_repeatable(self) -> bool {
        self != Self::Unknown
    }
}

include!(concat!(env!("OUT_DIR"), "/policy.rs"));

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_method_has_the_policy_of_its_contract() {
        let policy = of("/bionicpro.ingest.v1.EtlService/StartRun").unwrap();
        assert_eq!(policy.audiences, [Audience::User, Audience::Service]);
        assert_eq!(policy.roles, ["operator", "etl_runner"]);
        assert!(policy.browser);
        assert!(!policy.step_up);
        let (default, maximum) = (Duration::from_secs(10), Duration::from_secs(30));
        assert_eq!(policy.deadline, Deadline::Bounded { default, maximum });
        assert_eq!(policy.idempotency, Idempotency::Idempotent);
        assert!(!policy.server_streaming);
    }

    #[test]
    fn the_session_service_is_for_the_gateway_alone() {
        for method in [
            "BeginSignIn",
            "CompleteSignIn",
            "CheckSession",
            "EndSession",
        ] {
            let policy = of(&format!("/bionicpro.auth.v1.SessionService/{method}")).unwrap();
            assert_eq!(policy.audiences, [Audience::Service]);
            assert_eq!(policy.roles, ["gateway"]);
            assert!(!policy.browser);
        }
    }

    #[test]
    fn an_unknown_method_has_no_policy() {
        assert_eq!(of("/bionicpro.auth.v1.SessionService/Nothing"), None);
        assert_eq!(of(""), None);
    }
}
