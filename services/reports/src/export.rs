//! An export as values: a file of one customer's report. Not here: how it is stored, and what is
//! done with it (`export/*`).

pub(crate) mod document;
pub(crate) mod download;
pub(crate) mod keys;
pub(crate) mod loss;
pub(crate) mod render;
pub(crate) mod request;
pub(crate) mod worker;

use bionicpro_mesh::status::Reason;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::freshness::Freshness;
use crate::period::Period;
use crate::report::CustomerId;

/// An export's identifier (UUIDv7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExportId(pub(crate) Uuid);

impl ExportId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

/// The form of a file: its format, and the language where the format has words of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Csv(Language),
    Json,
}

impl Form {
    /// The format's name.
    pub(crate) fn format(self) -> &'static str {
        match self {
            Self::Csv(_) => "CSV",
            Self::Json => "JSON",
        }
    }

    pub(crate) fn language(self) -> Option<Language> {
        match self {
            Self::Csv(language) => Some(language),
            Self::Json => None,
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv(_) => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }
}

/// The language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Russian,
}

impl Language {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::English => "ENGLISH",
            Self::Russian => "RUSSIAN",
        }
    }

    /// ISO 639-1.
    fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }
}

/// How far an export has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Ready {
        at: DateTime<Utc>,
        size_bytes: u64,
    },
    /// Why, for programs and as a sentence.
    Failed {
        reason: Reason,
        sentence: String,
    },
}

/// One file of one report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) id: ExportId,
    pub(crate) customer: CustomerId,
    /// The file's name in the store; whoever knows it cannot do anything with it.
    pub(crate) name: String,
    pub(crate) period: Period,
    pub(crate) form: Form,
    pub(crate) state: State,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) freshness: Freshness,
}

impl Export {
    /// The file's name for people: it says nothing of the customer.
    pub(crate) fn file_name(&self) -> String {
        file_name(self.period, self.form)
    }
}

pub(crate) fn file_name(period: Period, form: Form) -> String {
    let (first, last) = (period.first, period.last);
    let days = if first == last {
        first.to_string()
    } else {
        format!("{first}_{last}")
    };
    let language = form.language().map(|it| format!("_{}", it.code()));
    let extension = form.format().to_ascii_lowercase();
    format!(
        "bionicpro-report_{days}{}.{extension}",
        language.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::CalendarKind;
    use chrono::NaiveDate;

    #[test]
    fn a_files_name_says_the_period_and_the_language_if_it_has_one() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day");
        let week = Period::around(CalendarKind::Week, day);
        let name = file_name(week, Form::Csv(Language::Russian));
        assert_eq!(name, "bionicpro-report_2026-11-23_2026-11-29_ru.csv");
        let day = Period::around(CalendarKind::Day, day);
        let name = file_name(day, Form::Json);
        assert_eq!(name, "bionicpro-report_2026-11-24.json");
    }
}
