//! The CRM's `customers`.

use super::{Kind, Table};

pub(crate) const CUSTOMERS: Table = Table {
    name: "customers",
    target: "crm_customers_versions",
    columns: &[
        ("id", Kind::Uuid),
        ("full_name", Kind::Text),
        ("email", Kind::Text),
        ("phone", Kind::Text),
        ("country", Kind::Text),
        ("locale", Kind::Text),
        ("time_zone", Kind::Text),
        ("status", Kind::Text),
        ("created_at", Kind::Instant),
        ("updated_at", Kind::Instant),
    ],
};
