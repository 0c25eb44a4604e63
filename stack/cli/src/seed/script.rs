//! A seeded world as text for psql: `COPY` blocks in one transaction, closed by
//! the note of what was seeded. No value holds a tab, a line end or a
//! backslash, so nothing needs escaping.

use std::io::{Result, Write};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    crm::Crm,
    device::FIRMWARE,
    plan::Plan,
    readings::{Reading, Telemetry},
};

/// Writes the script for the database `crm`. What an earlier plan put there is
/// deleted row by row, so that Debezium sees it go.
///
/// # Errors
/// When `out` cannot be written.
pub(super) fn crm(plan: &Plan, crm: &Crm, out: &mut impl Write) -> Result<()> {
    writeln!(out, "BEGIN;")?;
    writeln!(out, "DELETE FROM service_visits; DELETE FROM assignments;")?;
    writeln!(out, "DELETE FROM prostheses; DELETE FROM customers;")?;
    customers(crm, out)?;
    prostheses(crm, out)?;
    assignments(crm, out)?;
    service_visits(crm, out)?;
    close(plan, out)
}

fn customers(crm: &Crm, out: &mut impl Write) -> Result<()> {
    let columns =
        "id, full_name, email, phone, country, locale, time_zone, status, created_at, updated_at";
    writeln!(out, "COPY customers ({columns}) FROM STDIN;")?;
    for row in &crm.customers {
        let place = row.place;
        write!(
            out,
            "{}\t{}\t{}\t{}\t",
            row.id, row.full_name, row.email, row.phone
        )?;
        write!(
            out,
            "{}\t{}\t{}\t{}\t",
            place.country, place.locale, place.time_zone, row.status
        )?;
        writeln!(out, "{}\t{}", time(row.created_at), time(row.created_at))?;
    }
    end_of_copy(out)
}

fn prostheses(crm: &Crm, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "COPY prostheses (id, serial_number, model, side, firmware, manufactured_on) FROM STDIN;"
    )?;
    for row in &crm.prostheses {
        write!(
            out,
            "{}\t{}\t{}\t{}\t",
            row.id, row.serial_number, row.model.name, row.side
        )?;
        writeln!(
            out,
            "{}\t{}",
            FIRMWARE[row.firmware].version, row.manufactured_on
        )?;
    }
    end_of_copy(out)
}

fn assignments(crm: &Crm, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "COPY assignments (id, prosthesis_id, customer_id, valid_from, valid_to) FROM STDIN;"
    )?;
    for row in &crm.assignments {
        let (prosthesis, customer) = (
            crm.prostheses[row.prosthesis].id,
            crm.customers[row.customer].id,
        );
        let valid_to = row.valid_to.map_or_else(|| "\\N".to_owned(), time);
        writeln!(
            out,
            "{}\t{prosthesis}\t{customer}\t{}\t{valid_to}",
            row.id,
            time(row.valid_from)
        )?;
    }
    end_of_copy(out)
}

fn service_visits(crm: &Crm, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "COPY service_visits (id, prosthesis_id, visited_at, kind, notes, cost) FROM STDIN;"
    )?;
    for row in &crm.visits {
        let (whole, cents) = (row.cost_cents / 100, row.cost_cents % 100);
        write!(
            out,
            "{}\t{}\t{}\t",
            row.id,
            crm.prostheses[row.prosthesis].id,
            time(row.visited_at)
        )?;
        writeln!(
            out,
            "{}\t{}\t{whole}.{cents:02}",
            row.kind.name(),
            row.notes
        )?;
    }
    end_of_copy(out)
}

/// Writes the script for the database `telemetry`, a day at a time.
///
/// # Errors
/// When `out` cannot be written.
pub(super) fn telemetry(
    plan: &Plan,
    telemetry: &Telemetry<'_>,
    out: &mut impl Write,
) -> Result<()> {
    writeln!(out, "BEGIN;\nTRUNCATE readings;")?;
    for day in plan.each_day() {
        writeln!(out, "SELECT create_readings_day('{day}') \\g /dev/null")?;
        writeln!(out, "COPY readings_{} FROM STDIN;", day.format("%Y%m%d"))?;
        for row in telemetry.day(day) {
            reading(&row, out)?;
        }
        end_of_copy(out)?;
    }
    close(plan, out)
}

fn reading(row: &Reading, out: &mut impl Write) -> Result<()> {
    write!(
        out,
        "{}\t{}\t{}\t",
        row.id,
        row.prosthesis_id,
        time(row.recorded_at)
    )?;
    write!(
        out,
        "{}\t{}\t{}\t",
        time(row.received_at),
        row.grip,
        row.duration_ms
    )?;
    write!(
        out,
        "{}\t{}\t{}\t",
        row.response_ms, row.force_mn, row.battery_pct
    )?;
    writeln!(
        out,
        "{}\t{}",
        row.emg_quality_pct,
        row.fault_code.unwrap_or("\\N")
    )
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn end_of_copy(out: &mut impl Write) -> Result<()> {
    writeln!(out, "\\.")
}

fn close(plan: &Plan, out: &mut impl Write) -> Result<()> {
    let Plan {
        seed,
        customers,
        days,
        last_day,
    } = plan;
    writeln!(out, "DELETE FROM seed_plan;")?;
    writeln!(
        out,
        "INSERT INTO seed_plan VALUES ({seed}, {customers}, {days}, '{last_day}');\nCOMMIT;"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        seed: 1,
        customers: 12,
        days: 4,
        last_day: chrono::NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day"),
    };

    fn text(plan: &Plan) -> String {
        let world = Crm::new(plan);
        let mut text = Vec::new();
        crm(plan, &world, &mut text).expect("memory");
        telemetry(plan, &Telemetry::new(plan, &world), &mut text).expect("memory");
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn equal_plans_make_equal_scripts() {
        assert_eq!(text(&PLAN), text(&PLAN));
    }

    #[test]
    fn another_seed_makes_other_rows() {
        assert_ne!(text(&PLAN), text(&Plan { seed: 2, ..PLAN }));
    }

    #[test]
    fn a_row_has_as_many_values_as_its_table_has_columns() {
        for line in text(&PLAN).lines().filter(|line| line.contains('\t')) {
            let values = line.split('\t').count();
            assert!([10, 6, 5, 11].contains(&values), "{line}");
        }
    }

    #[test]
    fn only_the_marks_of_copy_hold_a_backslash() {
        let text = text(&PLAN)
            .replace("\\N", "")
            .replace("\n\\.\n", "\n")
            .replace(" \\g /dev/null", "");
        assert!(!text.contains('\\'));
    }
}
