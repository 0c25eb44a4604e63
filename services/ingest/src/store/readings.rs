//! ClickHouse: readings on their way into their table, column by column. Not here: where they come
//! from, and who sends them.

use bionicpro_mesh::clickhouse::native::{Column, Encoded};
use uuid::Uuid;

/// How ClickHouse calls where a reading comes from.
const SOURCE: &str = "Enum8('database' = 0, 'device' = 1)";
const DATABASE: u8 = 0;
const DEVICE: u8 = 1;

/// A row of `telemetry_readings`. Times are microseconds since 1970.
pub(crate) struct Row<'a> {
    pub(crate) id: Uuid,
    pub(crate) prosthesis_id: Uuid,
    pub(crate) recorded_us: i64,
    pub(crate) received_us: i64,
    pub(crate) grip: &'a [u8],
    pub(crate) duration_ms: u32,
    pub(crate) response_ms: u32,
    pub(crate) force_mn: u32,
    pub(crate) battery_pct: u8,
    pub(crate) emg_quality_pct: u8,
    /// Empty where there was none.
    pub(crate) fault_code: &'a [u8],
    pub(crate) origin: Origin,
}

/// Who brought a reading.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    /// This run, from the telemetry database.
    Run(Uuid),
    /// A device, by itself.
    Device,
}

/// Rows between two inserts.
#[derive(Debug)]
pub(crate) struct Readings {
    columns: [Column; 14],
    rows: usize,
}

impl Readings {
    pub(crate) fn new() -> Self {
        let columns = [
            ("id", "UUID"),
            ("prosthesis_id", "UUID"),
            ("recorded_at", "DateTime64(6, 'UTC')"),
            ("received_at", "DateTime64(6, 'UTC')"),
            ("grip", "String"),
            ("duration_ms", "UInt32"),
            ("response_ms", "UInt32"),
            ("force_mn", "UInt32"),
            ("battery_pct", "UInt8"),
            ("emg_quality_pct", "UInt8"),
            ("fault_code", "String"),
            ("run_id", "UUID"),
            ("source", SOURCE),
            ("arrived_us", "Int64"),
        ];
        Self {
            columns: columns.map(|(name, kind)| Column::new(name, kind)),
            rows: 0,
        }
    }

    /// How many there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) {
        let [
            id,
            prosthesis_id,
            recorded_at,
            received_at,
            grip,
            duration_ms,
            response_ms,
            force_mn,
            battery_pct,
            emg_quality_pct,
            fault_code,
            run_id,
            source,
            arrived_us,
        ] = &mut self.columns;
        // Each arrival of a device's reading is a row of its own; the database's replaces itself.
        let (run, from, arrived) = match row.origin {
            Origin::Run(run) => (run, DATABASE, 0),
            Origin::Device => (Uuid::nil(), DEVICE, row.received_us),
        };
        id.uuid(row.id);
        prosthesis_id.uuid(row.prosthesis_id);
        recorded_at.i64(row.recorded_us);
        received_at.i64(row.received_us);
        grip.binary(row.grip);
        duration_ms.u32(row.duration_ms);
        response_ms.u32(row.response_ms);
        force_mn.u32(row.force_mn);
        battery_pct.u8(row.battery_pct);
        emg_quality_pct.u8(row.emg_quality_pct);
        fault_code.binary(row.fault_code);
        run_id.uuid(run);
        source.u8(from);
        arrived_us.i64(arrived);
        self.rows += 1;
    }

    /// Takes the rows out, ready to be sent.
    pub(crate) fn encode(&mut self) -> Encoded {
        Encoded::take(&mut self.columns, std::mem::take(&mut self.rows))
    }

    /// Takes the buffers of rows that were sent back, to be filled again.
    pub(crate) fn reuse(&mut self, sent: Encoded) {
        sent.give_back(&mut self.columns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The run, the source and the arrival of a row of this origin.
    fn marks(origin: Origin) -> Vec<Vec<u8>> {
        let mut readings = Readings::new();
        readings.push(&Row {
            id: Uuid::from_u128(1),
            prosthesis_id: Uuid::from_u128(2),
            recorded_us: 3,
            received_us: 4,
            grip: b"power",
            duration_ms: 5,
            response_ms: 6,
            force_mn: 7,
            battery_pct: 8,
            emg_quality_pct: 9,
            fault_code: b"",
            origin,
        });
        // Behind the block's own start each column has its name and type, then its values.
        let block = readings.encode();
        let values = block.chunks().skip(2).step_by(2);
        values.skip(11).map(Vec::from).collect()
    }

    #[test]
    fn a_row_says_which_run_it_is_of_or_when_it_arrived_by_itself() {
        let run = Uuid::from_u128(u128::MAX);
        assert_eq!(
            marks(Origin::Run(run)),
            [vec![255; 16], vec![0], vec![0; 8]]
        );
        let arrived = 4_i64.to_le_bytes().to_vec();
        assert_eq!(marks(Origin::Device), [vec![0; 16], vec![1], arrived]);
    }
}
