//! Prosthesis models and firmware: what makes one device answer faster than
//! another before anybody has worn it.

/// A model that is sold.
#[derive(Debug)]
pub(super) struct Model {
    /// The name in the CRM.
    pub(super) name: &'static str,
    /// From signal to movement when new, in milliseconds.
    pub(super) response_ms: f64,
    /// Against the strongest model.
    pub(super) strength: f64,
    /// How much of the charge a day of use takes, in per cent.
    pub(super) daily_drain_pct: f64,
}

/// The models; none is drawn more often than another.
pub(super) const MODELS: [Model; 4] = [
    Model {
        name: "Grip One",
        response_ms: 232.0,
        strength: 0.85,
        daily_drain_pct: 68.0,
    },
    Model {
        name: "Grip Pro",
        response_ms: 204.0,
        strength: 1.0,
        daily_drain_pct: 58.0,
    },
    Model {
        name: "Flex Hand",
        response_ms: 186.0,
        strength: 0.95,
        daily_drain_pct: 52.0,
    },
    Model {
        name: "Junior S",
        response_ms: 218.0,
        strength: 0.5,
        daily_drain_pct: 46.0,
    },
];

/// A firmware release.
#[derive(Debug)]
pub(super) struct Firmware {
    /// The version in the CRM.
    pub(super) version: &'static str,
    /// How it changes the response time.
    pub(super) response: f64,
}

/// The releases, oldest first.
pub(super) const FIRMWARE: [Firmware; 3] = [
    Firmware {
        version: "3.1.4",
        response: 1.0,
    },
    Firmware {
        version: "3.2.0",
        response: 0.95,
    },
    Firmware {
        version: "3.3.1",
        response: 0.89,
    },
];

/// A grip and how it is used.
#[derive(Debug)]
pub(super) struct Grip {
    /// As the device names it.
    pub(super) name: &'static str,
    /// How many of a hundred readings are this one.
    pub(super) share: f64,
    /// How long it is held, in milliseconds.
    pub(super) duration_ms: f64,
    /// How hard, in millinewtons.
    pub(super) force_mn: f64,
}

/// The grips that every model knows.
pub(super) const GRIPS: [Grip; 6] = [
    Grip {
        name: "power",
        share: 29.0,
        duration_ms: 2_300.0,
        force_mn: 38_000.0,
    },
    Grip {
        name: "pinch",
        share: 24.0,
        duration_ms: 1_400.0,
        force_mn: 12_000.0,
    },
    Grip {
        name: "tripod",
        share: 16.0,
        duration_ms: 1_800.0,
        force_mn: 15_500.0,
    },
    Grip {
        name: "lateral",
        share: 14.0,
        duration_ms: 1_900.0,
        force_mn: 18_000.0,
    },
    Grip {
        name: "hook",
        share: 10.0,
        duration_ms: 5_400.0,
        force_mn: 33_000.0,
    },
    Grip {
        name: "point",
        share: 7.0,
        duration_ms: 900.0,
        force_mn: 4_000.0,
    },
];

/// Faults that come in spells, with how many of a hundred spells are this one.
pub(super) const FAULTS: [(&str, f64); 5] = [
    ("ELECTRODE_CONTACT", 38.0),
    ("SENSOR_DROPOUT", 24.0),
    ("MOTOR_STALL", 18.0),
    ("OVERHEAT", 12.0),
    ("COMM_TIMEOUT", 8.0),
];

/// The fault of a nearly empty battery.
pub(super) const LOW_BATTERY: &str = "LOW_BATTERY";
