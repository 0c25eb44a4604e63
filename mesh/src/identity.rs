//! Who calls: verifies the identity provider's tokens and hands the handler a typed [`Caller`].
//! What a caller may do is decided in `policy`.

mod caller;
mod http_client;
mod keys;
pub(crate) mod layer;
mod service_token;
mod signatures;
mod single_flight;
mod verified;
mod verifier;

#[cfg(test)]
mod tests;

pub use caller::{Caller, Service, User, caller};
pub(crate) use layer::forwarded_token;
pub use service_token::{ServiceToken, TokenUnavailable};
pub use verifier::{Verifier, VerifyError};
