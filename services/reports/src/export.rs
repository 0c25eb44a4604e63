//! An export as values: a file of one customer's report. Not here: how it is stored, and what is
//! done with it (`export/*`).

pub(crate) mod document;
pub(crate) mod download;
pub(crate) mod keys;
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

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
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
    pub(crate) format: Format,
    pub(crate) language: Language,
    pub(crate) state: State,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) freshness: Freshness,
}

impl Export {
    /// The file's name for people: it says nothing of the customer.
    pub(crate) fn file_name(&self) -> String {
        file_name(self.period, self.format, self.language)
    }
}

pub(crate) fn file_name(period: Period, format: Format, language: Language) -> String {
    let (first, last, language) = (period.first, period.last, language.code());
    let extension = format.name().to_ascii_lowercase();
    if first == last {
        return format!("bionicpro-report_{first}_{language}.{extension}");
    }
    format!("bionicpro-report_{first}_{last}_{language}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::CalendarKind;
    use chrono::NaiveDate;

    #[test]
    fn a_files_name_says_the_period_and_the_language() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day");
        let week = Period::around(CalendarKind::Week, day);
        let name = file_name(week, Format::Csv, Language::Russian);
        assert_eq!(name, "bionicpro-report_2026-11-23_2026-11-29_ru.csv");
        let day = Period::around(CalendarKind::Day, day);
        let name = file_name(day, Format::Json, Language::English);
        assert_eq!(name, "bionicpro-report_2026-11-24_en.json");
    }
}
