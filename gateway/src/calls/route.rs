//! Which service answers a method, and whether a browser may call it.

use bionicpro_proto::policy::Policy;
use http::uri::Authority;

use super::upstream::Upstream;
use crate::error::Refusal;

/// Finds the policy of a method by its path.
pub type Policies = fn(&str) -> Option<&'static Policy>;

/// The services, by the package that they implement.
pub(crate) struct Upstreams {
    policies: Policies,
    services: Vec<(&'static str, Upstream)>,
}

/// Where a call goes, and under which policy.
pub(super) struct Route<'a> {
    pub(super) policy: &'static Policy,
    pub(super) upstream: &'a Upstream,
}

impl Upstreams {
    /// The policies of the contracts, and the addresses of the packages' services.
    pub(crate) fn new(
        policies: Policies,
        services: impl IntoIterator<Item = (&'static str, Authority)>,
    ) -> Self {
        Self {
            policies,
            services: services
                .into_iter()
                .map(|(package, authority)| (package, Upstream::new(package, authority)))
                .collect(),
        }
    }

    /// Finds the way of `/bionicpro.<package>.v1.<Service>/<Method>`.
    pub(super) fn route(&self, path: &str) -> Result<Route<'_>, Refusal> {
        let policy = (self.policies)(path)
            .filter(|policy| policy.browser)
            .ok_or(Refusal::MethodUnknown)?;
        let package = path.split('.').nth(1).unwrap_or_default();
        let (_, upstream) = self
            .services
            .iter()
            .find(|(known, _)| *known == package)
            .ok_or(Refusal::MethodUnknown)?;
        Ok(Route { policy, upstream })
    }
}
