//! `cargo stack seed`: fills the two external databases with a made-up world
//! that depends on its plan alone. What the world looks like stands in the
//! modules below; this one decides whether it has to be written.

mod crm;
mod database;
mod device;
mod live;
mod people;
mod persona;
mod plan;
mod random;
mod readings;
mod script;

use anyhow::Result;
use chrono::{DateTime, Utc};

use self::{crm::Crm, database::Database, readings::Telemetry};
pub(crate) use self::{live::Live, plan::Plan};
use crate::topology::Topology;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The world of this plan was written.
    Seeded(Plan),
    /// The world of this plan was there and stays.
    Present(Plan),
}

/// The world that the CRM was seeded with.
#[derive(Debug)]
pub(crate) struct World {
    plan: Plan,
    crm: Crm,
}

impl World {
    /// Makes it again out of its plan; none where nothing was seeded.
    ///
    /// # Errors
    /// When the CRM's database does not answer.
    pub(crate) fn of(topology: &Topology) -> Result<Option<Self>> {
        let plan = Database::new(topology, "crm").plan()?;
        Ok(plan.map(|plan| Self {
            crm: Crm::new(&plan),
            plan,
        }))
    }

    /// At the most `devices` of those that are worn at `now`.
    pub(crate) fn live(&self, devices: usize, now: DateTime<Utc>) -> Live<'_> {
        Live::new(&self.plan, &self.crm, devices, now)
    }
}

/// Seeds the CRM and the telemetry database, each in one transaction. A
/// database that is seeded already is left alone unless `replace`; so after an
/// interruption the telemetry follows the plan of the CRM that is there.
///
/// # Errors
/// When a database does not answer or refuses a row.
pub(crate) fn run(topology: &Topology, requested: Plan, replace: bool) -> Result<Outcome> {
    let crm = Database::new(topology, "crm");
    let telemetry = Database::new(topology, "telemetry");
    let existing = if replace { None } else { crm.plan()? };
    let plan = existing.unwrap_or(requested);
    if existing.is_some() && telemetry.plan()? == existing {
        return Ok(Outcome::Present(plan));
    }
    let world = Crm::new(&plan);
    if existing.is_none() {
        crm.run(|out| script::crm(&plan, &world, out))?;
    }
    let readings = Telemetry::new(&plan, &world);
    telemetry.run(|out| script::telemetry(&plan, &readings, out))?;
    Ok(Outcome::Seeded(plan))
}
