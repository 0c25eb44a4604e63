//! JSON: the document as it is.

use super::super::document::Document;
use crate::error::Error;

pub(super) fn render(document: &Document) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::export::document::tests::report;

    #[test]
    fn decimals_are_texts_and_what_is_not_known_is_null() {
        let bytes = render(&Document::of(&report())).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["schema"], "bionicpro.report.v1");
        assert_eq!(value["totals"]["response_ms_mean"], "66.667");
        assert_eq!(value["totals"]["readings"], 3);
        assert_eq!(value["previous_totals"]["response_ms_mean"], Value::Null);
        assert_eq!(value["days"][0]["day"], "2026-11-24");
        assert_eq!(
            value["freshness"],
            json!({
                "telemetry_watermark": "2026-11-24T20:00:00Z",
                "previous_telemetry_watermark": null,
                "crm_watermark": "2026-11-24T21:00:00Z",
                "generated_at": "2026-11-24T22:00:00Z",
            })
        );
        fn has_no_float(value: &Value) -> bool {
            match value {
                Value::Number(number) => !number.is_f64(),
                Value::Array(values) => values.iter().all(has_no_float),
                Value::Object(fields) => fields.values().all(has_no_float),
                _ => true,
            }
        }
        assert!(has_no_float(&value));
    }
}
