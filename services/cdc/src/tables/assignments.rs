//! The CRM's `assignments`: who wears a prosthesis, and when.

use super::{Kind, Table};

pub(crate) const ASSIGNMENTS: Table = Table {
    name: "assignments",
    target: "crm_assignments_versions",
    columns: &[
        ("id", Kind::Uuid),
        ("prosthesis_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("valid_from", Kind::Instant),
        ("valid_to", Kind::End),
    ],
};
