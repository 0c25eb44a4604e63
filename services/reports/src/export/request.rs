//! What ExportReport does: finds or begins the export of a report as it is now.

use uuid::Uuid;

use super::document::Document;
use super::keys::{Content, Keys};
use super::{Export, Form, Language, loss};
use crate::error::Error;
use crate::freshness::Freshness;
use crate::period::{Period, Selection};
use crate::report::{self, CustomerId};
use crate::store::{Exports, Files, Warehouse};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) customer: CustomerId,
    pub(crate) request_id: Uuid,
    pub(crate) selection: Selection,
    pub(crate) form: Form,
}

impl Asked {
    /// The parameters, to tell a repeated request from another one under the same identifier.
    pub(crate) fn parameters(&self) -> String {
        let format = self.form.format();
        let language = self.form.language().map_or("", Language::name);
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
    pub(crate) document: Document,
    pub(crate) freshness: Freshness,
}

impl Offer {
    /// What the file is to show, as a text that is kept until it is made. A file that is made once
    /// more says that it is as old as it was: so it has the same bytes, and caches are right.
    pub(crate) fn document_of(&self, freshness: Freshness) -> Result<String, Error> {
        Ok(serde_json::to_string(
            &self.document.as_fresh_as(freshness),
        )?)
    }
}

/// Answers the export of what was asked for: the one that the request began before, the one that
/// shows the same, or a new one.
pub(crate) async fn export(
    warehouse: &Warehouse,
    (exports, files): (&Exports, &Files),
    keys: &Keys,
    asked: Asked,
) -> Result<Export, Error> {
    if let Some(export) = exports.requested(&asked).await? {
        return loss::noticed(exports, files, export).await;
    }
    // Before the report: whatever comes in between is in the report's digest, or in the next name.
    let crm_version = warehouse.crm_version(asked.customer).await?;
    let report = report::of(warehouse, asked.customer, asked.selection).await?;
    let content = Content {
        customer: asked.customer,
        period: report.period,
        form: asked.form,
        digest: Document::content_digest(&report)?,
        crm_version,
    };
    let offer = Offer {
        asked,
        period: report.period,
        name: keys.name(&content),
        document: Document::of(&report),
        freshness: report.freshness,
    };
    if let Some(there) = exports.named(&offer.name).await? {
        loss::noticed(exports, files, there).await?;
    }
    exports.offer(&offer).await
}
