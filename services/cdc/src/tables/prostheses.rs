//! The CRM's `prostheses`.

use super::{Kind, Table};

pub(crate) const PROSTHESES: Table = Table {
    name: "prostheses",
    target: "crm_prostheses_versions",
    columns: &[
        ("id", Kind::Uuid),
        ("serial_number", Kind::Text),
        ("model", Kind::Text),
        ("side", Kind::Text),
        ("firmware", Kind::Text),
        ("manufactured_on", Kind::Date),
    ],
};
