//! The CRM's side of the world: customers, prostheses, who wore which one when,
//! and visits to the workshop.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::{Uuid, uuid};

use super::{
    device::{FIRMWARE, MODELS, Model},
    people::{self, Place},
    plan::{Plan, midnight},
    random::Random,
};

/// The customers who can sign in.
const SIGN_INS: [Uuid; 2] = [
    uuid!("01900000-0000-7000-8000-000000000001"),
    uuid!("01900000-0000-7000-8000-000000000002"),
];

/// What a stream of random numbers is for.
const CUSTOMER: u64 = 1;

/// The world as the CRM knows it. Things refer to each other by their place.
#[derive(Debug, Default)]
pub(super) struct Crm {
    /// Customers, those who can sign in first.
    pub(super) customers: Vec<Customer>,
    /// Their prostheses.
    pub(super) prostheses: Vec<Prosthesis>,
    /// Who wore which one when.
    pub(super) assignments: Vec<Assignment>,
    /// Visits to the workshop, in order per prosthesis.
    pub(super) visits: Vec<Visit>,
}

/// A row of `customers`.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) id: Uuid,
    pub(super) full_name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) place: &'static Place,
    pub(super) status: &'static str,
    pub(super) created_at: DateTime<Utc>,
}

/// A row of `prostheses`.
#[derive(Debug)]
pub(super) struct Prosthesis {
    pub(super) id: Uuid,
    pub(super) serial_number: String,
    pub(super) model: &'static Model,
    pub(super) side: &'static str,
    /// The place of today's release in [`FIRMWARE`].
    pub(super) firmware: usize,
    pub(super) manufactured_on: NaiveDate,
}

/// A row of `assignments`.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) id: Uuid,
    pub(super) prosthesis: usize,
    pub(super) customer: usize,
    pub(super) valid_from: DateTime<Utc>,
    pub(super) valid_to: Option<DateTime<Utc>>,
}

/// A row of `service_visits`.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) id: Uuid,
    pub(super) prosthesis: usize,
    pub(super) visited_at: DateTime<Utc>,
    pub(super) kind: VisitKind,
    pub(super) notes: &'static str,
    pub(super) cost_cents: i64,
}

/// What is done at the workshop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VisitKind {
    Fitting,
    Inspection,
    Repair,
    FirmwareUpdate,
}

impl VisitKind {
    /// As it stands in the CRM.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fitting => "fitting",
            Self::Inspection => "inspection",
            Self::Repair => "repair",
            Self::FirmwareUpdate => "firmware_update",
        }
    }

    /// What it costs, in cents.
    fn cost_cents(self, random: &mut Random) -> i64 {
        match self {
            Self::Fitting | Self::FirmwareUpdate => 0,
            Self::Inspection => random.between(1_500, 6_000),
            Self::Repair => random.between(8_000, 92_000),
        }
    }

    fn notes(self, reads_russian: bool) -> &'static str {
        match (self, reads_russian) {
            (Self::Fitting, false) => "Socket fitted, electrodes placed, first grips practised.",
            (Self::Fitting, true) => "Подгонка гильзы, установка электродов, первые хваты освоены.",
            (Self::Inspection, false) => "Electrodes cleaned, tendons tightened, calibrated.",
            (Self::Inspection, true) => "Электроды очищены, тяги подтянуты, калибровка выполнена.",
            (Self::Repair, false) => "Finger drive replaced after wear; calibrated.",
            (Self::Repair, true) => "Привод пальца заменён из-за износа; калибровка выполнена.",
            (Self::FirmwareUpdate, false) => "Firmware updated; grips checked.",
            (Self::FirmwareUpdate, true) => "Прошивка обновлена; хваты проверены.",
        }
    }
}

impl Crm {
    /// Makes the CRM of a plan.
    pub(super) fn new(plan: &Plan) -> Self {
        let mut crm = Self::default();
        for number in 0..plan.customers as usize {
            crm.add_customer(plan, number);
        }
        crm.hand_over(plan);
        crm.visits
            .sort_by_key(|visit| (visit.prosthesis, visit.visited_at));
        crm
    }

    fn add_customer(&mut self, plan: &Plan, number: usize) {
        let random = &mut Random::stream(plan.seed, &[CUSTOMER, number as u64]);
        let signs_in = SIGN_INS.get(number);
        let person = people::person(random, number);
        // A few are new: fitted within the seeded days. The others have been with us for a while.
        let new = signs_in.is_none() && random.chance(0.06);
        let days_ago = if new {
            -random.between(1, i64::from(plan.days) - 1)
        } else {
            random.between(40, 700)
        };
        let fitted_at = workshop_hours(plan.start() - Duration::days(days_ago), random);
        let created_at = fitted_at
            - Duration::days(random.between(7, 30))
            - Duration::minutes(random.between(0, 600));
        self.customers.push(Customer {
            id: signs_in
                .copied()
                .unwrap_or_else(|| random.uuid_at(created_at)),
            full_name: person.full_name,
            email: person.email,
            phone: person.phone,
            place: person.place,
            status: "active",
            created_at,
        });
        // Somebody who has no prosthesis yet has an empty report.
        if signs_in.is_none() && random.chance(0.02) {
            return;
        }
        let side = *random.pick(&["left", "right"]);
        self.fit(plan, random, number, side, fitted_at);
        if number == 0 || (number > 1 && random.chance(0.11)) {
            self.fit(
                plan,
                random,
                number,
                if side == "left" { "right" } else { "left" },
                fitted_at,
            );
        }
        if signs_in.is_none() && !new && random.chance(0.04) {
            self.end(plan, random, number);
        }
    }

    /// Gives a customer a prosthesis with its history of visits.
    fn fit(
        &mut self,
        plan: &Plan,
        random: &mut Random,
        customer: usize,
        side: &'static str,
        at: DateTime<Utc>,
    ) {
        let manufactured_on = at.date_naive() - Duration::days(random.between(20, 120));
        let prosthesis = self.prostheses.len();
        self.prostheses.push(Prosthesis {
            id: random.uuid_at(midnight(manufactured_on)),
            serial_number: format!("BP-{}-{prosthesis:05}", manufactured_on.format("%y")),
            model: random.pick(&MODELS),
            side,
            firmware: random.weighted(&[1.0, 3.0, 6.0]),
            manufactured_on,
        });
        self.assignments.push(Assignment {
            id: random.uuid_at(at),
            prosthesis,
            customer,
            valid_from: at,
            valid_to: None,
        });
        self.add_visit(random, prosthesis, customer, at, VisitKind::Fitting);
        self.add_routine_visits(plan, random, prosthesis, customer, at);
    }

    fn add_routine_visits(
        &mut self,
        plan: &Plan,
        random: &mut Random,
        prosthesis: usize,
        customer: usize,
        fitted_at: DateTime<Utc>,
    ) {
        let mut at = fitted_at;
        loop {
            at = workshop_hours(at + Duration::days(random.between(80, 200)), random);
            if at >= plan.start() {
                break;
            }
            self.add_visit(random, prosthesis, customer, at, VisitKind::Inspection);
        }
        // The first customer's report shows what a repair does.
        let shown = prosthesis == 0;
        if !(shown || random.chance(0.3)) {
            return;
        }
        let day = if shown {
            i64::from(plan.days) * 3 / 5
        } else {
            random.between(0, i64::from(plan.days) - 1)
        };
        let at = workshop_hours(plan.start() + Duration::days(day), random);
        if at <= fitted_at {
            return;
        }
        let kind = match random.weighted(&[45.0, 35.0, 20.0]) {
            _ if shown => VisitKind::Repair,
            0 => VisitKind::Inspection,
            1 => VisitKind::Repair,
            _ => VisitKind::FirmwareUpdate,
        };
        if kind == VisitKind::FirmwareUpdate {
            self.prostheses[prosthesis].firmware = FIRMWARE.len() - 1;
        }
        self.add_visit(random, prosthesis, customer, at, kind);
    }

    fn add_visit(
        &mut self,
        random: &mut Random,
        prosthesis: usize,
        customer: usize,
        visited_at: DateTime<Utc>,
        kind: VisitKind,
    ) {
        self.visits.push(Visit {
            id: random.uuid_at(visited_at),
            prosthesis,
            visited_at,
            kind,
            notes: kind.notes(self.customers[customer].place.locale.starts_with("ru")),
            cost_cents: kind.cost_cents(random),
        });
    }

    /// Lets a customer give everything back within the seeded days.
    fn end(&mut self, plan: &Plan, random: &mut Random, customer: usize) {
        let day = Duration::days(random.between(1, i64::from(plan.days) - 1));
        let at = workshop_hours(plan.start() + day, random);
        self.customers[customer].status = "closed";
        for assignment in self
            .assignments
            .iter_mut()
            .filter(|assignment| assignment.customer == customer)
        {
            assignment.valid_to = Some(at);
            self.visits
                .retain(|visit| visit.prosthesis != assignment.prosthesis || visit.visited_at < at);
        }
    }

    /// Gives the first customer's second prosthesis to the second customer.
    fn hand_over(&mut self, plan: &Plan) {
        let random = &mut Random::stream(plan.seed, &[CUSTOMER, u64::MAX]);
        let at = plan.hand_over();
        let shared = 1;
        for assignment in self
            .assignments
            .iter_mut()
            .filter(|assignment| assignment.prosthesis == shared)
        {
            assignment.valid_to = Some(at);
        }
        self.assignments.push(Assignment {
            id: random.uuid_at(at),
            prosthesis: shared,
            customer: 1,
            valid_from: at,
            valid_to: None,
        });
        self.visits
            .retain(|visit| visit.prosthesis != shared || visit.visited_at < at);
        self.add_visit(random, shared, 1, at, VisitKind::Fitting);
    }
}

/// The same day at a time at which the workshop is open (8 to 16 UTC).
fn workshop_hours(day: DateTime<Utc>, random: &mut Random) -> DateTime<Utc> {
    midnight(day.date_naive())
        + Duration::hours(8)
        + Duration::seconds(random.between(0, 8 * 3_600 - 1))
}

#[cfg(test)]
mod tests;
