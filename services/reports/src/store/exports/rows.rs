//! Rows of the index, and the values that they become.

use bionicpro_mesh::status::Reason;
use tokio_postgres::Row;

use crate::error::Error;
use crate::export::{Export, ExportId, Form, Language, State};
use crate::freshness::Freshness;
use crate::period::{Kind, Period};
use crate::report::CustomerId;

pub(super) const COLUMNS: &str = "exports.export_id, exports.customer_id, name, period_kind, \
     start_day, end_day, format, language, state, telemetry_watermark, \
     previous_telemetry_watermark, crm_watermark, generated_at, size_bytes, exports.created_at, \
     ready_at, failure_reason, failure";

pub(super) fn export(row: &Row) -> Result<Export, Error> {
    Ok(Export {
        id: ExportId(row.try_get("export_id")?),
        customer: CustomerId(row.try_get("customer_id")?),
        name: row.try_get("name")?,
        period: period(row)?,
        form: form(row)?,
        state: state(row)?,
        created_at: row.try_get("created_at")?,
        freshness: Freshness {
            telemetry: row.try_get("telemetry_watermark")?,
            previous_telemetry: row.try_get("previous_telemetry_watermark")?,
            crm: row.try_get("crm_watermark")?,
            generated_at: row.try_get("generated_at")?,
        },
    })
}

fn state(row: &Row) -> Result<State, Error> {
    match row.try_get("state")? {
        "PENDING" => Ok(State::Pending),
        "READY" => Ok(State::Ready {
            at: row.try_get("ready_at")?,
            size_bytes: u64::try_from(row.try_get::<_, i64>("size_bytes")?)
                .map_err(|_| Error::Record("size"))?,
        }),
        "FAILED" => {
            let reason = format!("REASON_{}", row.try_get::<_, &str>("failure_reason")?);
            Ok(State::Failed {
                reason: Reason::from_str_name(&reason).unwrap_or(Reason::Internal),
                sentence: row.try_get("failure")?,
            })
        }
        _ => Err(Error::Record("state")),
    }
}

pub(super) fn period(row: &Row) -> Result<Period, Error> {
    let kind = match row.try_get("period_kind")? {
        "DAY" => Kind::Day,
        "WEEK" => Kind::Week,
        "MONTH" => Kind::Month,
        "RANGE" => Kind::Range,
        _ => return Err(Error::Record("kind of period")),
    };
    Ok(Period {
        kind,
        first: row.try_get("start_day")?,
        last: row.try_get("end_day")?,
    })
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Day => "DAY",
        Kind::Week => "WEEK",
        Kind::Month => "MONTH",
        Kind::Range => "RANGE",
    }
}

pub(super) fn form(row: &Row) -> Result<Form, Error> {
    let language = match row.try_get("language")? {
        Some("ENGLISH") => Some(Language::English),
        Some("RUSSIAN") => Some(Language::Russian),
        Some(_) => return Err(Error::Record("language")),
        None => None,
    };
    match (row.try_get("format")?, language) {
        ("CSV", Some(language)) => Ok(Form::Csv(language)),
        ("JSON", None) => Ok(Form::Json),
        _ => Err(Error::Record("format")),
    }
}
