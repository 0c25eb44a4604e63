//! From the domain's values to the contract's messages.

use bionicpro_proto::reports::v1;
use chrono::{DateTime, Utc};
use prost_types::Timestamp;

use crate::export::keys::{Keys, LINK_LIFE};
use crate::export::{Export, Form, Language, State};
use crate::freshness::Freshness;
use crate::period::{Kind, Period};
use crate::report::{FaultCount, GripUse, Prosthesis, Report, ServiceVisit, Totals};

pub(super) fn report(report: Report) -> v1::Report {
    v1::Report {
        customer: Some(v1::Customer {
            customer_id: report.customer.0.to_string(),
            full_name: report.full_name,
        }),
        period: Some(period(report.period)),
        totals: Some(totals(report.totals)),
        previous_period: Some(period(report.period.previous())),
        previous_totals: Some(totals(report.previous_totals)),
        days: report
            .days
            .into_iter()
            .map(|(day, numbers)| v1::DayPoint {
                day: day.to_string(),
                totals: Some(totals(numbers)),
            })
            .collect(),
        grips: report.grips.into_iter().map(grip).collect(),
        faults: report.faults.into_iter().map(fault).collect(),
        prostheses: report.prostheses.into_iter().map(prosthesis).collect(),
        service_visits: report.service_visits.into_iter().map(visit).collect(),
        freshness: Some(freshness(report.freshness)),
    }
}

pub(super) fn period(period: Period) -> v1::Period {
    let kind = match period.kind {
        Kind::Day => v1::PeriodKind::Day,
        Kind::Week => v1::PeriodKind::Week,
        Kind::Month => v1::PeriodKind::Month,
        Kind::Range => v1::PeriodKind::Range,
    };
    v1::Period {
        kind: kind.into(),
        start_day: period.first.to_string(),
        end_day: period.last.to_string(),
    }
}

pub(super) fn totals(totals: Totals) -> v1::Totals {
    let mean = |sum: u64| sum as f64 / totals.readings as f64;
    let measures = totals.measures;
    v1::Totals {
        readings: totals.readings,
        active_days: totals.active_days,
        use_ms: totals.use_ms,
        response_ms_mean: measures.map(|it| mean(it.response_ms_sum)),
        response_ms_p95: measures.map(|it| it.response_ms_p95.into()),
        force_mn_mean: measures.map(|it| mean(it.force_mn_sum)),
        emg_quality_pct_mean: measures.map(|it| mean(it.emg_quality_pct_sum)),
        battery_pct_min: measures.map(|it| it.battery_pct_min.into()),
        faults: totals.faults,
    }
}

/// The export with a link that is signed now.
pub(super) fn export(export: &Export, keys: &Keys) -> v1::Export {
    let mut message = v1::Export {
        export_id: export.id.0.to_string(),
        period: Some(period(export.period)),
        format: format(export.form).into(),
        language: language(export.form).into(),
        created_at: Some(timestamp(export.created_at)),
        file_name: export.file_name(),
        freshness: Some(freshness(export.freshness)),
        ..v1::Export::default()
    };
    match &export.state {
        State::Pending => message.set_state(v1::ExportState::Pending),
        State::Ready { at, size_bytes } => {
            let expires = Utc::now() + LINK_LIFE;
            message.set_state(v1::ExportState::Ready);
            message.ready_at = Some(timestamp(*at));
            message.size_bytes = *size_bytes;
            message.download_path = keys.link(&export.name, &message.file_name, expires);
            message.download_expires_at = Some(timestamp(expires));
        }
        State::Failed { reason, sentence } => {
            message.set_state(v1::ExportState::Failed);
            message.set_failure_reason(*reason);
            message.failure.clone_from(sentence);
        }
    }
    message
}

fn format(form: Form) -> v1::ExportFormat {
    match form {
        Form::Csv(_) => v1::ExportFormat::Csv,
        Form::Json => v1::ExportFormat::Json,
    }
}

fn language(form: Form) -> v1::Language {
    match form.language() {
        Some(Language::English) => v1::Language::English,
        Some(Language::Russian) => v1::Language::Russian,
        None => v1::Language::Unspecified,
    }
}

fn grip(grip: GripUse) -> v1::GripUse {
    v1::GripUse {
        grip: grip.grip,
        readings: grip.readings,
        use_ms: grip.use_ms,
    }
}

fn fault(fault: FaultCount) -> v1::FaultCount {
    v1::FaultCount {
        fault_code: fault.fault_code,
        readings: fault.readings,
        last_day: fault.last_day.to_string(),
    }
}

fn prosthesis(prosthesis: Prosthesis) -> v1::Prosthesis {
    v1::Prosthesis {
        prosthesis_id: prosthesis.id.to_string(),
        serial_number: prosthesis.serial_number,
        model: prosthesis.model,
        side: prosthesis.side,
        firmware: prosthesis.firmware,
        valid_from: Some(timestamp(prosthesis.valid_from)),
        valid_to: prosthesis.valid_to.map(timestamp),
    }
}

fn visit(visit: ServiceVisit) -> v1::ServiceVisit {
    v1::ServiceVisit {
        prosthesis_id: visit.prosthesis.to_string(),
        visited_at: Some(timestamp(visit.visited_at)),
        kind: visit.kind,
    }
}

fn freshness(freshness: Freshness) -> v1::Freshness {
    v1::Freshness {
        telemetry_watermark: freshness.telemetry.map(timestamp),
        previous_telemetry_watermark: freshness.previous_telemetry.map(timestamp),
        crm_watermark: freshness.crm.map(timestamp),
        generated_at: Some(timestamp(freshness.generated_at)),
    }
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos().cast_signed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Measures;

    #[test]
    fn without_readings_there_are_no_averages() {
        let numbers = totals(Totals::default());
        assert_eq!(numbers.readings, 0);
        assert_eq!(numbers.response_ms_mean, None);
        assert_eq!(numbers.battery_pct_min, None);
    }

    #[test]
    fn a_mean_is_over_the_readings() {
        let numbers = totals(Totals {
            readings: 4,
            measures: Some(Measures {
                response_ms_sum: 602,
                response_ms_p95: 190,
                force_mn_sum: 8_000,
                emg_quality_pct_sum: 300,
                battery_pct_min: 41,
            }),
            ..Totals::default()
        });
        assert_eq!(numbers.response_ms_mean, Some(150.5));
        assert_eq!(numbers.response_ms_p95, Some(190.0));
        assert_eq!(numbers.emg_quality_pct_mean, Some(75.0));
    }
}
