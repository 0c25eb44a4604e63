//! Where the parts of a profile listen, and by which names they find each other.

use crate::checkout::Profile;

/// The network of one profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    profile: Profile,
}

impl Network {
    pub(super) fn of(profile: Profile) -> Self {
        Self { profile }
    }

    /// The address that every part listens on: loopback, or all of a container's.
    pub(super) fn listen(self) -> &'static str {
        match self.profile {
            Profile::Dev | Profile::Test => "127.0.0.1",
            Profile::Compose => "0.0.0.0",
        }
    }

    /// Whether browsers and parts use the same addresses.
    pub(super) fn is_loopback(self) -> bool {
        self.profile != Profile::Compose
    }

    /// The name by which the others reach a part.
    pub(super) fn host(self, part: &'static str) -> &'static str {
        match self.profile {
            Profile::Dev | Profile::Test => "127.0.0.1",
            Profile::Compose => part,
        }
    }

    /// `host:port` of a part, for the others.
    pub(super) fn address(self, part: &'static str, port: u16) -> String {
        format!("{}:{port}", self.host(part))
    }

    /// `host:port` to listen on.
    pub(super) fn listen_at(self, port: u16) -> String {
        format!("{}:{port}", self.listen())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natively_everything_stays_on_loopback() {
        for profile in [Profile::Dev, Profile::Test] {
            let network = Network::of(profile);
            assert_eq!(network.listen_at(1), "127.0.0.1:1");
            assert_eq!(network.address("redis", 1), "127.0.0.1:1");
        }
    }

    #[test]
    fn containers_find_each_other_by_name() {
        let network = Network::of(Profile::Compose);
        assert_eq!(network.listen_at(1), "0.0.0.0:1");
        assert_eq!(network.address("redis", 1), "redis:1");
    }
}
