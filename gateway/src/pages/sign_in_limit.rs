//! How many sign-ins one address may begin.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Addresses to remember before those that are quiet again are forgotten.
const REMEMBERED: usize = 10_000;
/// One subscriber commands a whole IPv6 network of this many bits.
const IPV6_NETWORK_BITS: u32 = 64;

/// Counts the sign-ins of each address.
pub(crate) struct SignInLimit {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl SignInLimit {
    /// Lets each address begin this many sign-ins a minute.
    pub(crate) fn per_minute(sign_ins: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(sign_ins)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one sign-in, or says how long the address has to wait.
    pub(super) fn count(&self, client: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(&network(client))
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}

fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (u128::BITS - IPV6_NETWORK_BITS);
            IpAddr::V6((address.to_bits() & mask).into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn limit() -> SignInLimit {
        SignInLimit::per_minute(NonZeroU32::new(2).unwrap())
    }

    #[test]
    fn an_address_that_begins_too_many_sign_ins_is_told_how_long_to_wait() {
        let (limit, client) = (limit(), "192.0.2.1".parse().unwrap());
        assert!(limit.count(client).is_ok());
        assert!(limit.count(client).is_ok());
        let wait = limit.count(client).unwrap_err();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(30),
            "{wait:?}"
        );
    }

    #[test]
    fn one_address_does_not_use_up_anothers_sign_ins() {
        let limit = limit();
        for client in [
            "192.0.2.1",
            "192.0.2.1",
            "192.0.2.2",
            "2001:db8:1::1",
            "2001:db8:2::1",
        ] {
            assert!(limit.count(client.parse().unwrap()).is_ok(), "{client}");
        }
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_together() {
        let limit = limit();
        assert!(limit.count("2001:db8::1".parse().unwrap()).is_ok());
        assert!(limit.count("2001:db8::2".parse().unwrap()).is_ok());
        assert!(limit.count("2001:db8::3".parse().unwrap()).is_err());
    }
}
