// The numbers of a chart as a table.

import { Table, VisuallyHidden } from "@mantine/core";
import classes from "./Chart.module.css";
import type { ChartModel } from "./model";

interface ChartTableProps {
  table: ChartModel["table"];
  caption: string;
}

export function ChartTable({ table, caption }: ChartTableProps) {
  return (
    // Long tables scroll; focus lets the keyboard scroll them.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable (WCAG 2.1.1)
    <section className={classes.table} tabIndex={0} aria-label={caption}>
      <Table stickyHeader highlightOnHover>
        <caption>
          <VisuallyHidden>{caption}</VisuallyHidden>
        </caption>
        <Table.Thead>
          <Row cells={table.columns} header="col" />
        </Table.Thead>
        <Table.Tbody>
          {table.rows.map((cells) => (
            <Row key={cells[0]} cells={cells} header="row" />
          ))}
        </Table.Tbody>
        {table.total && (
          <Table.Tfoot>
            <Row cells={table.total} header="row" />
          </Table.Tfoot>
        )}
      </Table>
    </section>
  );
}

/** A row whose first cell names it, or the row that names the columns. */
function Row({ cells, header }: { cells: string[]; header: "col" | "row" }) {
  return (
    <Table.Tr>
      {cells.map((cell, column) =>
        header === "col" || column === 0 ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the columns of a table never move
          <Table.Th key={column} scope={header}>
            {cell}
          </Table.Th>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the columns of a table never move
          <Table.Td key={column}>{cell}</Table.Td>
        ),
      )}
    </Table.Tr>
  );
}
