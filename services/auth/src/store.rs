//! The outside systems, one module each. Nothing outside of them knows a key, a
//! command or an endpoint.

pub(crate) mod keycloak;
pub(crate) mod redis;
