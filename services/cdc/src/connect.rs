//! What Kafka Connect says of its source: the position that it commits to its own topic, after
//! Kafka has acknowledged every record before it.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::watermark::SourcePosition;

/// Debezium's name of a source.
#[derive(Deserialize)]
struct Source<'a> {
    server: &'a str,
}

#[derive(Deserialize)]
struct Offset {
    ts_usec: Option<i64>,
    lsn_commit: Option<u64>,
    snapshot: Option<IgnoredAny>,
    incremental_snapshot_primary_key: Option<IgnoredAny>,
}

/// The position of `source` in a record of Connect's offsets; none where it is another one's, or
/// where a snapshot is being read: its time is then Connect's clock, not Postgres'.
pub(crate) fn source_position(source: &str, key: &[u8], value: &[u8]) -> Option<SourcePosition> {
    let (_connector, Source { server }): (IgnoredAny, Source<'_>) =
        sonic_rs::from_str(std::str::from_utf8(key).ok()?).ok()?;
    let offset: Offset = sonic_rs::from_str(std::str::from_utf8(value).ok()?).ok()?;
    let streaming = offset.snapshot.is_none() && offset.incremental_snapshot_primary_key.is_none();
    if server != source || !streaming {
        return None;
    }
    Some(SourcePosition {
        committed_us: offset.ts_usec?,
        lsn: offset.lsn_commit?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = br#"["crm",{"server":"crm"}]"#;
    const STREAMING: &[u8] = br#"{"lsn_proc":31961408,"messageType":"COMMIT","lsn_commit":31961400,"lsn":31961408,"txId":764,"ts_usec":1795524014982362}"#;

    #[test]
    fn a_streaming_position_has_the_time_of_its_commit() {
        let position = SourcePosition {
            committed_us: 1_795_524_014_982_362,
            lsn: 31_961_400,
        };
        assert_eq!(source_position("crm", KEY, STREAMING), Some(position));
    }

    #[test]
    fn a_snapshot_has_no_time_of_the_source() {
        // The end of a snapshot, before the first commit.
        let ended = br#"{"lsn":31957736,"txId":756,"ts_usec":1795523986010000}"#;
        let initial =
            br#"{"snapshot":"INITIAL","lsn_commit":1,"lsn":31957736,"ts_usec":1795523986010000}"#;
        let incremental =
            br#"{"incremental_snapshot_primary_key":"aced","lsn_commit":1,"lsn":2,"ts_usec":3}"#;
        for value in [ended.as_slice(), initial, incremental] {
            assert_eq!(source_position("crm", KEY, value), None);
        }
    }

    #[test]
    fn another_connector_and_what_is_not_a_position_are_passed_over() {
        assert_eq!(
            source_position("crm", br#"["crm",{"server":"other"}]"#, STREAMING),
            None
        );
        assert_eq!(source_position("crm", b"", STREAMING), None);
        assert_eq!(source_position("crm", KEY, b"\x80"), None);
    }
}
