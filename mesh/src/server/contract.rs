//! Holds the registered services against the contracts, and shows the contracts by reflection.

use std::collections::HashSet;

use bionicpro_proto::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::service::Routes;
use tonic_reflection::server::{Builder, Error};

use crate::policy::Policies;

/// A service that must not be served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// The contracts cannot be read.
    #[error("the descriptors of the contracts cannot be read")]
    Descriptors,
    /// No contract declares it.
    #[error("no contract declares the service {0}")]
    ServiceUnknown(String),
    /// Its contract has no policy for a method.
    #[error("there is no policy for the method {0}")]
    PolicyMissing(String),
}

/// The descriptors of all services that may be served.
pub(crate) struct Contract(pub(super) &'static [u8]);

impl Default for Contract {
    fn default() -> Self {
        Self(FILE_DESCRIPTOR_SET)
    }
}

impl Contract {
    /// Refuses a service that has a method without a policy.
    pub(super) fn check(&self, services: &[&str], policies: Policies) -> Result<(), ContractError> {
        let mut missing: HashSet<_> = services.iter().map(|name| (*name).to_owned()).collect();
        let set = FileDescriptorSet::decode(self.0).map_err(|_| ContractError::Descriptors)?;
        for file in &set.file {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                if !missing.remove(&name) {
                    continue;
                }
                for method in &service.method {
                    let path = format!("/{name}/{}", method.name());
                    if policies.of(&path).is_none() {
                        return Err(ContractError::PolicyMissing(path));
                    }
                }
            }
        }
        missing
            .into_iter()
            .next()
            .map_or(Ok(()), |name| Err(ContractError::ServiceUnknown(name)))
    }

    /// Adds reflection of the services, of health and of the details that errors carry.
    pub(super) fn reflection(&self, routes: Routes, services: &[&str]) -> Result<Routes, Error> {
        let builder = || {
            let builder = Builder::configure()
                .register_encoded_file_descriptor_set(self.0)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
                .with_service_name("grpc.health.v1.Health");
            services
                .iter()
                .fold(builder, |builder, name| builder.with_service_name(*name))
        };
        Ok(routes
            .add_service(builder().build_v1()?)
            .add_service(builder().build_v1alpha()?))
    }
}
