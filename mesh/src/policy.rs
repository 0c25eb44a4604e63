//! What a caller may do: enforces the policy table of the contracts. The two services that no
//! contract of ours declares stand in the list of exemptions here, and nowhere else.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use bionicpro_proto::policy::{self, Audience, Deadline, Idempotency, Policy};
use http::Response;

use crate::config::Environment;
use crate::identity::Caller;
use crate::status::{Code, Failure, Reason};

/// Finds the policy of a method by its path.
pub type Lookup = fn(&str) -> Option<&'static Policy>;

const HEALTH: &str = "/grpc.health.v1.Health/";
const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

const OPEN: Policy = exemption(&[Audience::Public]);
const FOR_SERVICES: Policy = exemption(&[Audience::Service]);

const fn exemption(audiences: &'static [Audience]) -> Policy {
    Policy {
        audiences,
        roles: &[],
        browser: false,
        step_up: false,
        deadline: Deadline::Unbounded,
        idempotency: Idempotency::NoSideEffects,
        server_streaming: true,
    }
}

/// All policies that a server enforces.
#[derive(Clone, Copy)]
pub(crate) struct Policies {
    contracts: Lookup,
    environment: Environment,
}

impl Policies {
    pub(crate) fn new(environment: Environment) -> Self {
        Self {
            contracts: policy::of,
            environment,
        }
    }

    #[cfg(test)]
    pub(crate) fn with_contracts(self, contracts: Lookup) -> Self {
        Self { contracts, ..self }
    }

    /// The policy of a method by its path; without one nobody may call it.
    pub(crate) fn of(self, path: &str) -> Option<&'static Policy> {
        (self.contracts)(path).or_else(|| self.exemption(path))
    }

    fn exemption(self, path: &str) -> Option<&'static Policy> {
        if path.starts_with(HEALTH) {
            return Some(&OPEN);
        }
        let reflection = REFLECTION.iter().any(|service| path.starts_with(service));
        reflection.then_some(match self.environment {
            Environment::Development => &OPEN,
            Environment::Production => &FOR_SERVICES,
        })
    }
}

/// Whether a path belongs to the health service, which answers also where others must wait.
pub(crate) fn is_health(path: &str) -> bool {
    path.starts_with(HEALTH)
}

/// The layer that lets a call pass or refuses it.
pub(crate) async fn enforce(
    State(policies): State<Policies>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let caller = request.extensions().get().unwrap_or(&Caller::Public);
    match decide(policies.of(request.uri().path()), caller) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

fn decide(policy: Option<&Policy>, caller: &Caller) -> Result<(), Failure> {
    let Some(policy) = policy else {
        return Err(unknown_method());
    };
    let audience = match caller {
        Caller::Public => Audience::Public,
        Caller::User(_) => Audience::User,
        Caller::Service(_) => Audience::Service,
    };
    if policy.audiences.contains(&Audience::Public) {
        return Ok(());
    }
    if audience == Audience::Public {
        return Err(token_missing());
    }
    let admitted = policy.audiences.contains(&audience)
        && (policy.roles.is_empty()
            || caller
                .roles()
                .iter()
                .any(|role| policy.roles.contains(&role.as_str())));
    // Tokens carry no proof of a second factor yet, so nobody has one.
    let stepped_up = !policy.step_up || audience != Audience::User;
    if admitted && stepped_up {
        Ok(())
    } else {
        Err(access_denied())
    }
}

fn unknown_method() -> Failure {
    let message = "There is no such method here: check its full name.";
    Failure::new(Code::Unimplemented, Reason::MethodUnknown, message)
}

fn token_missing() -> Failure {
    let message = "The method needs a token: send one as `authorization: Bearer`.";
    Failure::new(Code::Unauthenticated, Reason::TokenMissing, message)
}

fn access_denied() -> Failure {
    let message = "The method does not admit this kind of caller or its roles: \
                   ask an administrator for a role that it names.";
    Failure::new(Code::PermissionDenied, Reason::AccessDenied, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Service, User};

    const STAFF: Policy = Policy {
        roles: &["operator", "etl_runner"],
        audiences: &[Audience::User, Audience::Service],
        ..OPEN
    };

    fn user(roles: &[&str]) -> Caller {
        Caller::User(User {
            subject: String::new(),
            username: String::new(),
            display_name: String::new(),
            customer_id: None,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        })
    }

    fn service(roles: &[&str]) -> Caller {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Caller::Service(Service {
            client_id: String::new(),
            roles,
        })
    }

    fn admits(policy: &Policy, caller: &Caller) -> bool {
        decide(Some(policy), caller).is_ok()
    }

    #[test]
    fn one_of_the_roles_is_enough_and_none_is_not() {
        assert!(admits(&STAFF, &user(&["other", "operator"])));
        assert!(admits(&STAFF, &service(&["etl_runner"])));
        assert!(!admits(&STAFF, &user(&[])));
        assert!(!admits(&STAFF, &user(&["Operator"])));
        assert!(!admits(&STAFF, &Caller::Public));
    }

    #[test]
    fn a_role_does_not_make_up_for_the_wrong_kind_of_caller() {
        let services = Policy {
            audiences: &[Audience::Service],
            ..STAFF
        };
        assert!(!admits(&services, &user(&["operator"])));
        assert!(admits(&services, &service(&["operator"])));
    }

    #[test]
    fn without_roles_any_caller_of_the_audience_is_admitted() {
        let anyone = Policy {
            roles: &[],
            ..STAFF
        };
        assert!(admits(&anyone, &user(&[])));
        assert!(!admits(&anyone, &Caller::Public));
    }

    #[test]
    fn a_user_without_a_proof_of_a_second_factor_does_not_pass_a_step_up() {
        let guarded = Policy {
            step_up: true,
            ..STAFF
        };
        assert!(!admits(&guarded, &user(&["operator"])));
        assert!(admits(&guarded, &service(&["operator"])));
    }

    #[test]
    fn a_method_without_a_policy_is_for_nobody() {
        assert!(decide(None, &service(&["operator"])).is_err());
        let policies = Policies::new(Environment::Development);
        assert!(
            policies
                .of("/bionicpro.auth.v1.SessionService/Nothing")
                .is_none()
        );
        assert!(
            policies
                .of("/grpc.reflection.v1.ServerReflectionEvil/Info")
                .is_none()
        );
    }
}
