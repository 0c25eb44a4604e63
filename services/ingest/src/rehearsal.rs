//! Faults that a test lets the daily load rehearse: it stands still where killing it hurts most.
//! Refused outside of development (see `config`).

use std::str::FromStr;
use std::time::Duration;

/// How long the load stands still before each swap.
const PAUSE: Duration = Duration::from_secs(1);

/// What the load does differently, if anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Rehearsal {
    /// Nothing.
    #[default]
    Off,
    /// It stands still between the check and the swap.
    Slow,
    /// The negative control: it removes the old day first and then stands still, as a load that
    /// does not swap would. A test that does not notice this notices nothing.
    SlowAndUnsafe,
}

impl Rehearsal {
    pub(crate) fn removes_first(self) -> bool {
        self == Self::SlowAndUnsafe
    }

    pub(crate) async fn stand_still(self) {
        if self != Self::Off {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl FromStr for Rehearsal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "slow" => Ok(Self::Slow),
            "slow-and-unsafe" => Ok(Self::SlowAndUnsafe),
            _ => Err("expected off, slow or slow-and-unsafe"),
        }
    }
}
