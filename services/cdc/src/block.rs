//! Rows of one table on their way into ClickHouse, column by column. A row is written whole or not
//! at all.

use bionicpro_mesh::clickhouse::native::{Column, Encoded, Length};
use sonic_rs::{JsonValueTrait, LazyValue};
use uuid::Uuid;

use crate::{
    envelope::Change,
    rejection::Rejection,
    tables::{Kind, Table},
    value::{self, Fault},
};

/// What Debezium sends in place of a large value that the change left as it was: Postgres does not
/// log it (TOAST).
const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// Changed rows of one table, as versions: position and offset make the version, which decides
/// which row of a key holds.
#[derive(Debug)]
pub(crate) struct Block {
    table: &'static Table,
    /// The table's columns, then `version` and `is_deleted`.
    columns: Vec<Column>,
    rows: usize,
    /// How long the columns were before the row that is being written.
    lengths: Vec<Length>,
}

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the block.
    Written,
    /// It is not: a value of it has to be taken from the stored row.
    NeedsStored,
}

/// The texts of a stored row, by the name of their column.
pub(crate) type Stored = [(&'static str, String)];

impl Block {
    /// An empty block of `table`.
    pub(crate) fn new(table: &'static Table) -> Self {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|(name, kind)| Column::new(name, &kind.clickhouse()))
            .chain([
                Column::new("version", "UInt128"),
                Column::new("is_deleted", "UInt8"),
            ])
            .collect();
        Self {
            table,
            rows: 0,
            lengths: Vec::with_capacity(columns.len()),
            columns,
        }
    }

    pub(crate) fn table(&self) -> &'static Table {
        self.table
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Writes what `change` says of a row, under `version`. Values that the change lacks are taken
    /// from `stored`, where that is given.
    ///
    /// # Errors
    /// Why the row cannot be written; the block is as it was.
    pub(crate) fn push(
        &mut self,
        change: Change<'_>,
        version: u128,
        stored: Option<&Stored>,
    ) -> Result<Outcome, Rejection> {
        self.lengths.clear();
        self.lengths.extend(self.columns.iter().map(Column::length));
        let written = match change {
            Change::Upsert(row) => self.push_row(row, stored).map(|outcome| (outcome, 0)),
            Change::Delete(key) => self.push_key(&key).map(|()| (Outcome::Written, 1)),
        };
        let Ok((Outcome::Written, is_deleted)) = written else {
            for (column, length) in self.columns.iter_mut().zip(&self.lengths) {
                column.cut(*length);
            }
            return written.map(|(outcome, _)| outcome);
        };
        let columns = self.table.columns.len();
        self.columns[columns].u128(version);
        self.columns[columns + 1].u8(is_deleted);
        self.rows += 1;
        Ok(Outcome::Written)
    }

    fn push_row(
        &mut self,
        row: LazyValue<'_>,
        stored: Option<&Stored>,
    ) -> Result<Outcome, Rejection> {
        let fields = row
            .into_object_iter()
            .ok_or(Rejection::WrongType("after"))?;
        let (mut seen, mut expected) = (0_u64, 0);
        let mut needs_stored = false;
        for field in fields {
            let (name, value) = field.map_err(|_| Rejection::NotJson)?;
            let Some(index) = self.find(&name, expected) else {
                continue;
            };
            expected = index + 1;
            let (name, kind) = self.table.columns[index];
            if seen & (1 << index) != 0 {
                return Err(Rejection::Repeated(name));
            }
            seen |= 1 << index;
            if kind == Kind::Text && value.as_str() == Some(UNAVAILABLE) {
                match stored.and_then(|texts| texts.iter().find(|(stored, _)| *stored == name)) {
                    Some((_, text)) => self.columns[index].text(text),
                    None if stored.is_some() => return Err(Rejection::Unavailable(name)),
                    None => needs_stored = true,
                }
            } else {
                push_value(&mut self.columns[index], name, kind, &value)?;
            }
        }
        if let Some((_, (name, _))) = self
            .table
            .columns
            .iter()
            .enumerate()
            .find(|(index, _)| seen & (1 << index) == 0)
        {
            return Err(Rejection::Missing(name));
        }
        Ok(if needs_stored {
            Outcome::NeedsStored
        } else {
            Outcome::Written
        })
    }

    /// A row of which only the key is known.
    fn push_key(&mut self, key: &LazyValue<'_>) -> Result<(), Rejection> {
        let (name, _) = self.table.columns[0];
        let id = key.get(name).ok_or(Rejection::Missing("before.id"))?;
        self.columns[0].uuid(uuid(name, &id)?);
        for (column, (_, kind)) in self.columns[1..].iter_mut().zip(&self.table.columns[1..]) {
            match kind {
                Kind::Uuid => column.uuid(Uuid::nil()),
                Kind::Text => column.text(""),
                Kind::Instant | Kind::Decimal { .. } => column.i64(0),
                Kind::End => column.nullable_i64(None),
                Kind::Date => column.i32(0),
            }
        }
        Ok(())
    }

    /// The column called `name`; the messages have them nearly always in the order of the table.
    fn find(&self, name: &str, expected: usize) -> Option<usize> {
        let columns = self.table.columns;
        match columns.get(expected) {
            Some((column, _)) if *column == name => Some(expected),
            _ => columns.iter().position(|(column, _)| *column == name),
        }
    }

    /// Takes the rows out, ready to be sent.
    pub(crate) fn encode(&mut self) -> Encoded {
        Encoded::take(&mut self.columns, std::mem::take(&mut self.rows))
    }

    /// Takes the buffers of rows that were sent back, to be filled again.
    pub(crate) fn reuse(&mut self, sent: Encoded) {
        sent.give_back(&mut self.columns);
    }

    /// Forgets the rows.
    pub(crate) fn clear(&mut self) {
        let rows = self.encode();
        self.reuse(rows);
    }
}

/// The key of the row that `change` is about.
///
/// # Errors
/// The row has none.
pub(crate) fn key(table: &Table, change: &Change<'_>) -> Result<Uuid, Rejection> {
    let (Change::Upsert(row) | Change::Delete(row)) = change;
    let (name, _) = table.columns[0];
    uuid(name, &row.get(name).ok_or(Rejection::Missing(name))?)
}

/// The key in a record's key such as `{"id": "…"}`; none where it is of another form.
pub(crate) fn key_of(table: &Table, key: &[u8]) -> Option<Uuid> {
    let key: LazyValue<'_> = sonic_rs::from_str(str::from_utf8(key).ok()?).ok()?;
    let (name, _) = table.columns[0];
    uuid(name, &key.get(name)?).ok()
}

fn push_value(
    column: &mut Column,
    name: &'static str,
    kind: Kind,
    value: &LazyValue<'_>,
) -> Result<(), Rejection> {
    match kind {
        Kind::Uuid => column.uuid(uuid(name, value)?),
        Kind::Text => column.text(text(name, value)?),
        Kind::Instant => column.i64(instant(name, value)?),
        Kind::End if value.is_null() => column.nullable_i64(None),
        Kind::End => {
            let end = value::end_us(text(name, value)?);
            column.nullable_i64(end.map_err(|fault| rejection(name, fault))?);
        }
        Kind::Date => {
            let days = value.as_i64().ok_or_else(|| absent_or_wrong(name, value))?;
            column.i32(value::date(days).map_err(|fault| rejection(name, fault))?);
        }
        Kind::Decimal { precision, scale } => {
            let decimal = value::decimal(text(name, value)?, precision, scale);
            column.i64(decimal.map_err(|fault| rejection(name, fault))?);
        }
    }
    Ok(())
}

fn text<'a>(name: &'static str, value: &'a LazyValue<'_>) -> Result<&'a str, Rejection> {
    value.as_str().ok_or_else(|| absent_or_wrong(name, value))
}

fn uuid(name: &'static str, value: &LazyValue<'_>) -> Result<Uuid, Rejection> {
    Uuid::try_parse_ascii(text(name, value)?.as_bytes()).map_err(|_| Rejection::WrongType(name))
}

fn instant(name: &'static str, value: &LazyValue<'_>) -> Result<i64, Rejection> {
    value::instant_us(text(name, value)?).map_err(|fault| rejection(name, fault))
}

fn absent_or_wrong(name: &'static str, value: &LazyValue<'_>) -> Rejection {
    if value.is_null() {
        Rejection::Missing(name)
    } else {
        Rejection::WrongType(name)
    }
}

fn rejection(name: &'static str, fault: Fault) -> Rejection {
    match fault {
        Fault::Form => Rejection::WrongType(name),
        Fault::Range => Rejection::OutOfRange(name),
    }
}
