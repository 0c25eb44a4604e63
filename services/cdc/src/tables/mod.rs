//! The CRM tables that are followed, one file each: their targets in ClickHouse and the
//! types of their columns. How rows are written is in [`crate::block`].

mod assignments;
mod customers;
mod prostheses;
mod service_visits;

pub(crate) use self::{
    assignments::ASSIGNMENTS, customers::CUSTOMERS, prostheses::PROSTHESES,
    service_visits::SERVICE_VISITS,
};

/// Every table that is followed.
pub(crate) const TABLES: [&Table; 4] = [&CUSTOMERS, &PROSTHESES, &ASSIGNMENTS, &SERVICE_VISITS];

/// A table of the CRM and what becomes of it.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name in the CRM.
    pub(crate) name: &'static str,
    /// The ClickHouse table of its versions.
    pub(crate) target: &'static str,
    /// The columns that are kept, under the same name in both; the first is the primary key, a
    /// UUID. Other columns of the CRM are left out.
    pub(crate) columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The names of its columns of text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'static str> {
        self.columns
            .iter()
            .filter(|(_, kind)| *kind == Kind::Text)
            .map(|(name, _)| *name)
    }
}

/// What a column holds: how Debezium writes it and as what ClickHouse gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `uuid`: text, `UUID`.
    Uuid,
    /// `text`: text, `String`.
    Text,
    /// `timestamptz`: ISO 8601 text, `DateTime64(6)`.
    Instant,
    /// The end of a period, written likewise: null where there is none, or none that
    /// `DateTime64(6)` can hold.
    End,
    /// `date`: days since 1970, `Date32`.
    Date,
    /// `numeric`: text, `Decimal(precision, scale)` with a precision from 10 to 18.
    Decimal {
        /// All digits.
        precision: u32,
        /// Digits behind the point.
        scale: u32,
    },
}

impl Kind {
    /// The type that is written in the Native block.
    pub(crate) fn clickhouse(self) -> String {
        match self {
            Self::Uuid => "UUID".to_owned(),
            Self::Text => "String".to_owned(),
            Self::Instant => "DateTime64(6, 'UTC')".to_owned(),
            Self::End => "Nullable(DateTime64(6, 'UTC'))".to_owned(),
            Self::Date => "Date32".to_owned(),
            Self::Decimal { precision, scale } => format!("Decimal({precision}, {scale})"),
        }
    }
}
