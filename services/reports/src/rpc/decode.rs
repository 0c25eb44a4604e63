//! From the contract's messages to the domain's values. The rules of single fields were checked
//! before a message came here.

use bionicpro_mesh::identity::{Caller, caller};
use bionicpro_mesh::request::WrongField;
use bionicpro_mesh::status::Reason;
use bionicpro_proto::reports::v1::{self, PeriodKind, PeriodSelector};
use tonic::Request;

use crate::error::Error;
use crate::export::{Form, Language};
use crate::period::{CalendarKind, Kind, Selection};
use crate::report::CustomerId;

const KIND: &str = "Choose a kind of period.";

/// The customer that the caller is.
pub(super) fn own_customer<T>(request: &Request<T>) -> Result<CustomerId, Error> {
    match caller(request) {
        Caller::User(user) => user.customer_id.map(CustomerId),
        Caller::Public | Caller::Service(_) => None,
    }
    .ok_or(Error::CustomerNotLinked)
}

pub(super) fn selection(period: Option<&PeriodSelector>) -> Result<Selection, Error> {
    let field = "period.kind";
    let kind = period.and_then(|period| kind(period.kind()));
    let (Some(period), Some(kind)) = (period, kind) else {
        return Err(WrongField::period(field, KIND).into());
    };
    Ok(Selection::parse(kind, &period.day, &period.end_day)?)
}

pub(super) fn calendar_kind(kind: PeriodKind) -> Result<CalendarKind, Error> {
    let invalid = WrongField::period("kind", KIND);
    match kind {
        PeriodKind::Day => Ok(CalendarKind::Day),
        PeriodKind::Week => Ok(CalendarKind::Week),
        PeriodKind::Month => Ok(CalendarKind::Month),
        PeriodKind::Range | PeriodKind::Unspecified => Err(invalid.into()),
    }
}

/// A format without words needs no language.
pub(super) fn form(format: v1::ExportFormat, language: v1::Language) -> Result<Form, Error> {
    match format {
        v1::ExportFormat::Csv => Ok(Form::Csv(self::language(language)?)),
        v1::ExportFormat::Json => Ok(Form::Json),
        v1::ExportFormat::Unspecified => Err(unspecified("format", "Choose a format.")),
    }
}

fn language(language: v1::Language) -> Result<Language, Error> {
    match language {
        v1::Language::English => Ok(Language::English),
        v1::Language::Russian => Ok(Language::Russian),
        v1::Language::Unspecified => Err(unspecified("language", "Choose a language.")),
    }
}

fn unspecified(field: &'static str, problem: &'static str) -> Error {
    let reason = Reason::InvalidField;
    WrongField {
        reason,
        field,
        problem,
    }
    .into()
}

fn kind(kind: PeriodKind) -> Option<Kind> {
    match kind {
        PeriodKind::Unspecified => None,
        PeriodKind::Day => Some(Kind::Day),
        PeriodKind::Week => Some(Kind::Week),
        PeriodKind::Month => Some(Kind::Month),
        PeriodKind::Range => Some(Kind::Range),
    }
}
