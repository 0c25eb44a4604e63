use std::collections::BTreeSet;

use super::*;

fn plan(customers: u32) -> Plan {
    Plan {
        seed: 1,
        customers,
        days: 30,
        last_day: NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day"),
    }
}

#[test]
fn nobody_wears_a_prosthesis_that_somebody_else_wears() {
    let crm = Crm::new(&plan(500));
    for (place, first) in crm.assignments.iter().enumerate() {
        for second in &crm.assignments[place + 1..] {
            let apart = first.valid_to.is_some_and(|end| end <= second.valid_from);
            assert!(
                first.prosthesis != second.prosthesis || apart,
                "{first:?} {second:?}"
            );
        }
    }
}

#[test]
fn one_prosthesis_goes_from_the_first_sign_in_to_the_second_and_both_keep_another() {
    let plan = plan(2);
    let crm = Crm::new(&plan);
    let wearers: Vec<_> = crm
        .assignments
        .iter()
        .map(|worn| (worn.prosthesis, worn.customer))
        .collect();
    assert_eq!(wearers, [(0, 0), (1, 0), (2, 1), (1, 1)]);
    assert_eq!(crm.assignments[1].valid_to, Some(plan.hand_over()));
    assert_eq!(crm.assignments[3].valid_from, plan.hand_over());
}

#[test]
fn every_identifier_and_serial_number_is_unique() {
    let crm = Crm::new(&plan(500));
    let ids: Vec<Uuid> = crm
        .customers
        .iter()
        .map(|row| row.id)
        .chain(crm.prostheses.iter().map(|row| row.id))
        .chain(crm.assignments.iter().map(|row| row.id))
        .chain(crm.visits.iter().map(|row| row.id))
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let serials: BTreeSet<_> = crm
        .prostheses
        .iter()
        .map(|row| &row.serial_number)
        .collect();
    assert_eq!(serials.len(), crm.prostheses.len());
}

#[test]
fn visits_come_after_the_prosthesis_was_made() {
    let crm = Crm::new(&plan(500));
    for visit in &crm.visits {
        assert!(
            visit.visited_at.date_naive() > crm.prostheses[visit.prosthesis].manufactured_on,
            "{visit:?}"
        );
    }
}

#[test]
fn more_customers_leave_the_first_ones_as_they_were() {
    let (small, large) = (Crm::new(&plan(20)), Crm::new(&plan(40)));
    for (one, other) in small.customers.iter().zip(&large.customers) {
        assert_eq!((one.id, &one.full_name), (other.id, &other.full_name));
    }
}

#[test]
fn the_usual_exceptions_are_there() {
    let crm = Crm::new(&plan(200));
    let worn_by = |customer| {
        crm.assignments
            .iter()
            .filter(|worn| worn.customer == customer)
            .count()
    };
    let counts: Vec<usize> = (0..crm.customers.len()).map(worn_by).collect();
    assert!(counts.contains(&0), "nobody without a prosthesis");
    assert!(
        counts.iter().filter(|count| **count == 2).count() > 10,
        "hardly anybody with two"
    );
    assert!(
        crm.customers
            .iter()
            .any(|customer| customer.status == "closed"),
        "nobody left"
    );
    assert!(
        crm.visits.iter().any(|visit| visit.cost_cents % 100 != 0),
        "only whole costs"
    );
}
