//! CSV as RFC 4180 has it, in UTF-8: one table for the whole report, a value a line, so that every
//! line has the same columns. It begins with U+FEFF, without which Excel takes UTF-8 for the code
//! page of its machine. A cell that a spreadsheet would take for a formula is made a text.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::super::Language;
use super::super::document::{Document, Numbers};
use super::words::{self as word, Word};
use crate::error::Error;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A line, but for the measure's words.
#[derive(Clone, Copy)]
struct Place<'a> {
    section: Word,
    from: &'a str,
    to: &'a str,
    item: &'a str,
}

struct Table {
    writer: csv::Writer<Vec<u8>>,
    language: Language,
}

pub(super) fn render(document: &Document, language: Language) -> Result<Vec<u8>, Error> {
    let writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.to_vec());
    let mut table = Table { writer, language };
    let headers = word::HEADERS.map(|header| header.in_(language));
    table.writer.write_record(headers)?;
    table.report(document)?;
    table.numbers(period(word::PERIOD, &document.period), &document.totals)?;
    table.numbers(
        period(word::PREVIOUS, &document.previous_period),
        &document.previous_totals,
    )?;
    for day in &document.days {
        table.numbers(span(word::DAY, &day.day, &day.day, ""), &day.numbers)?;
    }
    table.uses(document)?;
    table.prostheses(document)?;
    Ok(table
        .writer
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)
        .map_err(csv::Error::from)?)
}

fn span<'a>(section: Word, from: &'a str, to: &'a str, item: &'a str) -> Place<'a> {
    Place {
        section,
        from,
        to,
        item,
    }
}

fn period(section: Word, days: &super::super::document::Days) -> Place<'_> {
    span(section, &days.start_day, &days.end_day, "")
}

impl Table {
    fn line(
        &mut self,
        place: Place<'_>,
        measure: Word,
        value: &str,
        unit: Word,
    ) -> Result<(), Error> {
        let language = self.language;
        let cells = [
            place.section.in_(language),
            place.from,
            place.to,
            place.item,
            measure.in_(language),
            value,
            unit.in_(language),
        ];
        Ok(self
            .writer
            .write_record(cells.map(text).iter().map(|it| it.as_bytes()))?)
    }

    fn report(&mut self, document: &Document) -> Result<(), Error> {
        let place = period(word::REPORT, &document.period);
        let freshness = &document.freshness;
        let unknown = word::NOTHING_YET.in_(self.language);
        let known = |time: &Option<String>| time.clone().unwrap_or_else(|| unknown.to_owned());
        for (measure, value) in [
            (word::CUSTOMER, document.full_name.clone()),
            (word::CUSTOMER_ID, document.customer_id.clone()),
            (word::TELEMETRY, known(&freshness.telemetry_watermark)),
            (
                word::PREVIOUS_TELEMETRY,
                known(&freshness.previous_telemetry_watermark),
            ),
            (word::CRM, known(&freshness.crm_watermark)),
            (word::GENERATED, freshness.generated_at.clone()),
        ] {
            self.line(place, measure, &value, word::NONE)?;
        }
        Ok(())
    }

    fn numbers(&mut self, place: Place<'_>, numbers: &Numbers) -> Result<(), Error> {
        let number = |value: u64| Some(value.to_string());
        for (measure, value, unit) in [
            (word::READINGS, number(numbers.readings), word::NONE),
            (
                word::ACTIVE_DAYS,
                number(numbers.active_days.into()),
                word::DAYS,
            ),
            (word::USE, number(numbers.use_ms), word::MS),
            (
                word::RESPONSE_MEAN,
                numbers.response_ms_mean.clone(),
                word::MS,
            ),
            (
                word::RESPONSE_P95,
                numbers.response_ms_p95.map(|it| it.to_string()),
                word::MS,
            ),
            (word::FORCE_MEAN, numbers.force_mn_mean.clone(), word::MN),
            (
                word::EMG_MEAN,
                numbers.emg_quality_pct_mean.clone(),
                word::PCT,
            ),
            (
                word::BATTERY_MIN,
                numbers.battery_pct_min.map(|it| it.to_string()),
                word::PCT,
            ),
            (word::FAULTS, number(numbers.faults), word::NONE),
        ] {
            // Without readings there is nothing measured: an empty cell, not a zero.
            self.line(place, measure, &value.unwrap_or_default(), unit)?;
        }
        Ok(())
    }

    fn uses(&mut self, document: &Document) -> Result<(), Error> {
        let days = &document.period;
        for grip in &document.grips {
            let item = word::of(word::GRIPS, &grip.grip, self.language);
            let place = span(word::GRIP, &days.start_day, &days.end_day, item);
            self.line(
                place,
                word::READINGS,
                &grip.readings.to_string(),
                word::NONE,
            )?;
            self.line(place, word::USE, &grip.use_ms.to_string(), word::MS)?;
        }
        for fault in &document.faults {
            let item = word::of(word::FAULT_CODES, &fault.fault_code, self.language);
            let place = span(word::FAULT, &days.start_day, &days.end_day, item);
            self.line(
                place,
                word::READINGS,
                &fault.readings.to_string(),
                word::NONE,
            )?;
            self.line(place, word::LAST_DAY, &fault.last_day, word::NONE)?;
        }
        Ok(())
    }

    fn prostheses(&mut self, document: &Document) -> Result<(), Error> {
        for it in &document.prostheses {
            let until = it.valid_to.as_deref().unwrap_or_default();
            let place = span(word::PROSTHESIS, &it.valid_from, until, &it.serial_number);
            self.line(place, word::MODEL, &it.model, word::NONE)?;
            let side = word::of(word::SIDES, &it.side, self.language);
            self.line(place, word::SIDE, side, word::NONE)?;
            self.line(place, word::FIRMWARE, &it.firmware, word::NONE)?;
        }
        for visit in &document.service_visits {
            let at = &visit.visited_at;
            let mut of = document.prostheses.iter();
            let item = of.find(|it| it.prosthesis_id == visit.prosthesis_id);
            let item = item.map_or(&visit.prosthesis_id, |it| &it.serial_number);
            let kind = word::of(word::VISIT_KINDS, &visit.kind, self.language);
            self.line(
                span(word::VISIT, at, at, item),
                word::KIND,
                kind,
                word::NONE,
            )?;
        }
        Ok(())
    }
}

/// The cell as a text: what begins like a formula gets an apostrophe before it (OWASP, CSV injection).
fn text(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        return Cow::Owned(format!("'{cell}"));
    }
    Cow::Borrowed(cell)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::export::document::tests::report;

    fn lines(bytes: &[u8]) -> Vec<Vec<String>> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes);
        let records = reader.records().map(|record| record.unwrap());
        records
            .map(|record| record.iter().map(str::to_owned).collect())
            .collect()
    }

    #[test]
    fn every_value_stands_in_a_line_with_its_place_and_unit() {
        let bytes = render(&Document::of(&report()), Language::English).unwrap();
        let lines = lines(&bytes);
        assert_eq!(lines[0][..3], ["Section", "From", "To"]);
        for expected in [
            [
                "Report",
                "2026-11-24",
                "2026-11-24",
                "",
                "Customer",
                "Anna Orlova",
                "",
            ],
            [
                "Report",
                "2026-11-24",
                "2026-11-24",
                "",
                "Readings complete until",
                "2026-11-24T20:00:00Z",
                "",
            ],
            [
                "Period",
                "2026-11-24",
                "2026-11-24",
                "",
                "Mean response time",
                "66.667",
                "ms",
            ],
            [
                "Period before",
                "2026-11-23",
                "2026-11-23",
                "",
                "Mean response time",
                "",
                "ms",
            ],
            ["Day", "2026-11-24", "2026-11-24", "", "Readings", "3", ""],
            [
                "Grip",
                "2026-11-24",
                "2026-11-24",
                "Power grip",
                "Time of use",
                "4500",
                "ms",
            ],
            [
                "Fault",
                "2026-11-24",
                "2026-11-24",
                "E1",
                "Last day",
                "2026-11-24",
                "",
            ],
        ] {
            assert!(
                lines.iter().any(|line| line[..] == expected),
                "{expected:?}"
            );
        }
        assert!(bytes.ends_with(b"\r\n"));
        assert!(
            !bytes
                .windows(2)
                .any(|two| two[1] == b'\n' && two[0] != b'\r')
        );
    }

    #[test]
    fn the_words_are_in_the_language_asked_for() {
        let bytes = render(&Document::of(&report()), Language::Russian).unwrap();
        let lines = lines(&bytes);
        assert_eq!(lines[0][0], "Раздел");
        assert!(
            lines
                .iter()
                .any(|line| line[4] == "Среднее время отклика" && line[6] == "мс")
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_a_line_or_becomes_a_formula(name in "[=+@\\-\t\r\n\",;а-яa-z ]{0,20}") {
            let mut report = report();
            report.full_name = name.clone();
            report.grips[0].grip = name.clone();
            let bytes = render(&Document::of(&report), Language::English).unwrap();
            let lines = lines(&bytes);
            prop_assert!(lines.iter().all(|line| line.len() == 7));
            let formula = |cell: &String| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            prop_assert!(!lines.iter().flatten().any(formula));
            let shown = &lines[1][5];
            let as_text = format!("'{name}");
            prop_assert!(*shown == name || *shown == as_text);
        }
    }
}
