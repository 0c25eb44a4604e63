//! Faults that a test lets a program rehearse: it stands still where killing it hurts most. Where
//! that is, and what it does unsafely, is the program's own; see `Fields::development_only`.

use std::str::FromStr;
use std::time::Duration;

/// What a program does differently, if anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rehearsal {
    /// Nothing.
    #[default]
    Off,
    /// It stands still before the step that must not be done by halves.
    Slow,
    /// The negative control: it stands still within that step, done without its safety. A test
    /// that does not notice this notices nothing.
    SlowAndUnsafe,
}

impl Rehearsal {
    /// Whether the safety is out.
    #[must_use]
    pub fn is_unsafe(self) -> bool {
        self == Self::SlowAndUnsafe
    }

    /// Stands still for `pause` if anything is rehearsed.
    pub async fn stand_still(self, pause: Duration) {
        if self != Self::Off {
            tokio::time::sleep(pause).await;
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
