//! What ExportReport does: finds or begins the export of a report as it is now.

use uuid::Uuid;

use super::document::Document;
use super::keys::{Content, Keys};
use super::{Export, Format, Language};
use crate::error::Error;
use crate::period::{Period, Selection};
use crate::report::{self, CustomerId};
use crate::store::{Exports, Warehouse};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) customer: CustomerId,
    pub(crate) request_id: Uuid,
    pub(crate) selection: Selection,
    pub(crate) format: Format,
    pub(crate) language: Language,
}

impl Asked {
    /// The parameters, to tell a repeated request from another one under the same identifier.
    pub(crate) fn parameters(&self) -> String {
        let (format, language) = (self.format.name(), self.language.name());
        let period = match self.selection {
            Selection::Latest(kind) => format!("{kind:?} latest"),
            Selection::Period(period) => {
                format!("{:?} {} {}", period.kind, period.first, period.last)
            }
        };
        format!("{period} {format} {language}")
    }
}

/// An export as it is offered to the index.
pub(crate) struct Offer {
    pub(crate) asked: Asked,
    pub(crate) period: Period,
    pub(crate) name: String,
    pub(crate) document: String,
    pub(crate) freshness: crate::freshness::Freshness,
}

/// Answers the export of what was asked for: the one that the request began before, the one that
/// shows the same, or a new one.
pub(crate) async fn export(
    warehouse: &Warehouse,
    exports: &Exports,
    keys: &Keys,
    asked: Asked,
) -> Result<Export, Error> {
    if let Some(export) = exports.requested(&asked).await? {
        return Ok(export);
    }
    // Before the report: whatever comes in between is in the report's digest, or in the next name.
    let crm_version = warehouse.crm_version(asked.customer).await?;
    let report = report::of(warehouse, asked.customer, asked.selection).await?;
    let document = Document::of(&report);
    let content = Content {
        customer: asked.customer,
        period: report.period,
        format: asked.format,
        language: asked.language,
        digest: document.content_digest()?,
        crm_version,
    };
    let offer = Offer {
        asked,
        period: report.period,
        name: keys.name(&content),
        document: serde_json::to_string(&document)?,
        freshness: report.freshness,
    };
    exports.offer(&offer).await
}
