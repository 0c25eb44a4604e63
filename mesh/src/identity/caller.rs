//! The caller as a handler sees it.

use uuid::Uuid;

/// Who calls, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular: the call brought no token, or needs none.
    Public,
    /// A person who signed in.
    User(User),
    /// A program.
    Service(Service),
}

/// A person who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identity provider's identifier.
    pub subject: String,
    /// The name that they sign in with.
    pub username: String,
    /// Their name as it is displayed.
    pub display_name: String,
    /// The customer that the account is connected to; staff has none.
    pub customer_id: Option<Uuid>,
    /// Their roles.
    pub roles: Vec<String>,
}

/// A program with a client-credentials token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The identity provider's identifier of the client.
    pub client_id: String,
    /// Its roles.
    pub roles: Vec<String>,
}

impl Caller {
    /// The caller's roles.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        match self {
            Self::Public => &[],
            Self::User(user) => &user.roles,
            Self::Service(service) => &service.roles,
        }
    }
}

/// The caller of a request.
#[must_use]
pub fn caller<T>(request: &tonic::Request<T>) -> &Caller {
    request.extensions().get().unwrap_or(&Caller::Public)
}
