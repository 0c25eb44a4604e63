//! Faults that a test lets the making of exports rehearse: it stands still where killing it hurts
//! most. Refused outside of development (see `config`).

use std::str::FromStr;
use std::time::Duration;

/// How long the making stands still before the file is stored.
const PAUSE: Duration = Duration::from_secs(3);

/// What the making does differently, if anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Rehearsal {
    /// Nothing.
    #[default]
    Off,
    /// It stands still before it stores the file.
    Slow,
    /// The negative control: it says that the file is ready and then stands still. A test that does
    /// not notice this notices nothing.
    SlowAndUnsafe,
}

impl Rehearsal {
    pub(crate) fn says_ready_first(self) -> bool {
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
