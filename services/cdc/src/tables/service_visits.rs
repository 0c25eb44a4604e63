//! The CRM's `service_visits`.

use super::{Kind, Table};

pub(crate) const SERVICE_VISITS: Table = Table {
    name: "service_visits",
    target: "crm_service_visits_versions",
    columns: &[
        ("id", Kind::Uuid),
        ("prosthesis_id", Kind::Uuid),
        ("visited_at", Kind::Instant),
        ("kind", Kind::Text),
        ("notes", Kind::Text),
        (
            "cost",
            Kind::Decimal {
                precision: 12,
                scale: 2,
            },
        ),
    ],
};
