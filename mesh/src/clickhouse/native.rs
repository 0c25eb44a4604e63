//! ClickHouse's Native format, as much of it as the tables need: a block is written column by
//! column into buffers that live on. What goes into a column is decided elsewhere.
//!
//! Source: <https://clickhouse.com/docs/interfaces/formats/Native>. Numbers are little-endian.

use bytes::Bytes;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3Default;

/// One column of a block.
#[derive(Debug)]
pub struct Column {
    /// Name and type, as they stand before the values.
    header: Bytes,
    /// One byte a value, 1 for null; only where the type is nullable.
    nulls: Option<Vec<u8>>,
    values: Vec<u8>,
}

/// How long a column is: where to cut it back to when a row turns out to be broken.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    nulls: usize,
    values: usize,
}

impl Column {
    /// A column `name` of the ClickHouse type `kind`, which the server casts to the table's own
    /// (a `String` into a `LowCardinality(String)`).
    pub fn new(name: &str, kind: &str) -> Self {
        let mut header = Vec::new();
        push_text(&mut header, name);
        push_text(&mut header, kind);
        let nulls = kind.starts_with("Nullable(").then(Vec::new);
        Self {
            header: header.into(),
            nulls,
            values: Vec::new(),
        }
    }

    /// A `UUID`: two halves of 64 bits, the first one first, each little-endian.
    pub fn uuid(&mut self, value: Uuid) {
        let (high, low) = value.as_u64_pair();
        self.values.extend_from_slice(&high.to_le_bytes());
        self.values.extend_from_slice(&low.to_le_bytes());
    }

    /// A `String`.
    pub fn text(&mut self, value: &str) {
        push_text(&mut self.values, value);
    }

    /// A `String` that need not be UTF-8.
    pub fn binary(&mut self, value: &[u8]) {
        push_binary(&mut self.values, value);
    }

    /// A `UInt8`, or an `Enum8` by its number.
    pub fn u8(&mut self, value: u8) {
        self.values.push(value);
    }

    /// A `UInt32`.
    pub fn u32(&mut self, value: u32) {
        self.values.extend_from_slice(&value.to_le_bytes());
    }

    /// An `Int32` or `Date32` (days since 1970).
    pub fn i32(&mut self, value: i32) {
        self.values.extend_from_slice(&value.to_le_bytes());
    }

    /// An `Int64`, a `DateTime64` in its unit, or a `Decimal` of 10 to 18 digits, unscaled.
    pub fn i64(&mut self, value: i64) {
        self.values.extend_from_slice(&value.to_le_bytes());
    }

    /// The same, or null, in a nullable column.
    pub fn nullable_i64(&mut self, value: Option<i64>) {
        if let Some(nulls) = &mut self.nulls {
            nulls.push(u8::from(value.is_none()));
        }
        self.i64(value.unwrap_or_default());
    }

    /// A `UInt128`.
    pub fn u128(&mut self, value: u128) {
        self.values.extend_from_slice(&value.to_le_bytes());
    }

    /// How long it is.
    pub fn length(&self) -> Length {
        Length {
            nulls: self.nulls.as_ref().map_or(0, Vec::len),
            values: self.values.len(),
        }
    }

    /// Takes back everything behind `length`.
    pub fn cut(&mut self, length: Length) {
        if let Some(nulls) = &mut self.nulls {
            nulls.truncate(length.nulls);
        }
        self.values.truncate(length.values);
    }
}

/// A block that is on its way: cheap to send again, and its buffers can be had back. By default it
/// has none.
#[derive(Debug, Default)]
pub struct Encoded {
    chunks: Vec<Bytes>,
}

impl Encoded {
    /// Makes a block of `rows` rows out of `columns`, whose values move into it.
    pub fn take(columns: &mut [Column], rows: usize) -> Self {
        let mut start = Vec::new();
        push_varint(&mut start, columns.len());
        push_varint(&mut start, rows);
        let mut chunks = Vec::with_capacity(1 + columns.len() * 3);
        chunks.push(Bytes::from(start));
        for column in columns {
            chunks.push(column.header.clone());
            if let Some(nulls) = &mut column.nulls {
                chunks.push(Bytes::from(std::mem::take(nulls)));
            }
            chunks.push(Bytes::from(std::mem::take(&mut column.values)));
        }
        Self { chunks }
    }

    /// The block's bytes in order.
    pub fn chunks(&self) -> impl Iterator<Item = Bytes> + '_ {
        self.chunks.iter().cloned()
    }

    /// A number for the block's content: other content has another one.
    pub fn digest(&self) -> u128 {
        let mut digest = Xxh3Default::new();
        self.chunks.iter().for_each(|chunk| digest.update(chunk));
        digest.digest128()
    }

    /// Gives the buffers, empty, back to the columns that the block was taken from. A chunk that
    /// somebody still holds is left to them: then the column starts with a new buffer.
    pub fn give_back(self, columns: &mut [Column]) {
        let mut chunks = self.chunks.into_iter().skip(1);
        let mut emptied = || {
            let mut buffer = chunks.next()?.try_into_mut().ok()?;
            buffer.clear();
            Some(Vec::from(buffer))
        };
        for column in columns {
            let _header = emptied();
            if let Some(nulls) = &mut column.nulls {
                *nulls = emptied().unwrap_or_default();
            }
            column.values = emptied().unwrap_or_default();
        }
    }
}

fn push_text(buffer: &mut Vec<u8>, text: &str) {
    push_binary(buffer, text.as_bytes());
}

fn push_binary(buffer: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(buffer, bytes.len());
    buffer.extend_from_slice(bytes);
}

/// An unsigned LEB128, seven bits a byte, the lowest first.
fn push_varint(buffer: &mut Vec<u8>, mut value: usize) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return buffer.push(low & 0x7f);
        }
        buffer.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sent(block: &Encoded) -> Vec<u8> {
        block.chunks().flatten().collect()
    }

    fn two_columns() -> [Column; 2] {
        [
            Column::new("id", "UUID"),
            Column::new("to", "Nullable(DateTime64(6, 'UTC'))"),
        ]
    }

    #[test]
    fn a_block_is_columns_of_little_endian_values() {
        let mut columns = two_columns();
        columns[0].uuid(Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
        columns[0].uuid(Uuid::from_u128(1));
        columns[1].nullable_i64(None);
        columns[1].nullable_i64(Some(258));
        let mut expected = vec![2, 2, 2];
        expected.extend(b"id\x04UUID");
        expected.extend(0x0011_2233_4455_6677_u64.to_le_bytes());
        expected.extend(0x8899_aabb_ccdd_eeff_u64.to_le_bytes());
        expected.extend([0; 8].into_iter().chain([1, 0, 0, 0, 0, 0, 0, 0]));
        expected.extend(b"\x02to\x1eNullable(DateTime64(6, 'UTC'))\x01\x00");
        expected.extend([0; 8].into_iter().chain([2, 1, 0, 0, 0, 0, 0, 0]));
        assert_eq!(sent(&Encoded::take(&mut columns, 2)), expected);
    }

    #[test]
    fn buffers_come_back_empty_and_are_filled_again() {
        let mut columns = two_columns();
        let fill = |columns: &mut [Column; 2]| {
            columns[0].uuid(Uuid::nil());
            columns[1].nullable_i64(Some(7));
            Encoded::take(columns, 1)
        };
        let first = fill(&mut columns);
        let bytes = sent(&first);
        first.give_back(&mut columns);
        let capacity = columns[0].values.capacity();
        assert!(capacity >= 16, "the buffer was lost");
        assert_eq!(sent(&fill(&mut columns)), bytes);
    }

    proptest! {
        #[test]
        fn blocks_have_the_same_digest_exactly_when_they_are_the_same(
            one in proptest::collection::vec("[ab]{0,2}", 0..4),
            other in proptest::collection::vec("[ab]{0,2}", 0..4),
        ) {
            let digest = |texts: &[String]| {
                let mut columns = [Column::new("t", "String")];
                texts.iter().for_each(|text| columns[0].text(text));
                Encoded::take(&mut columns, texts.len()).digest()
            };
            prop_assert_eq!(digest(&one), digest(&one));
            prop_assert_eq!(digest(&one) == digest(&other), one == other);
        }

        #[test]
        fn a_length_reads_back(length: usize) {
            let mut bytes = Vec::new();
            push_varint(&mut bytes, length);
            let read = bytes.iter().rev().fold(0_usize, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
            prop_assert_eq!(read, length);
            prop_assert!(bytes.iter().rev().skip(1).all(|byte| byte & 0x80 != 0));
        }

        #[test]
        fn a_row_that_is_cut_leaves_the_column_as_it_was(kept in "\\PC{0,300}", cut in "\\PC{0,300}") {
            let mut column = Column::new("t", "String");
            column.text(&kept);
            let (length, values) = (column.length(), column.values.clone());
            column.text(&cut);
            column.cut(length);
            prop_assert_eq!(column.values, values);
        }
    }
}
