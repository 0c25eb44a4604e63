// What a chart and its table show: plain data in the person's language, from
// which both are drawn, so that they cannot differ.

import { create } from "@bufbuild/protobuf";
import {
  type Report,
  type Totals,
  TotalsSchema,
} from "../../../gen/bionicpro/reports/v1/report_pb.js";
import type { Dictionary } from "../../../i18n/en";
import type { Format } from "../../../i18n/format";

export interface Series {
  name: string;
  /** A value for each point; null where there is none. */
  values: (number | null)[];
  kind: "bar" | "line" | "dashed";
  color: "brand" | "accent" | "warning";
}

/** One place on the category axis, and what is said about it. */
export interface Point {
  axisLabel: string;
  title: string;
  lines: string[];
}

export interface ChartModel {
  id: string;
  title: string;
  hint: string;
  points: Point[];
  series: Series[];
  /** Categories run down the side rather than along the bottom. */
  sideways: boolean;
  formatValue: (value: number) => string;
  table: { columns: string[]; rows: string[][]; total?: string[] };
}

export interface Words {
  t: Dictionary;
  format: Format;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Up to a fortnight has room for weekdays; then days, then days with months. */
function axisLabel(day: string, days: number, format: Format): string {
  if (days <= 14) return format.day(day, "weekday");
  return days <= 31 ? String(Number(day.slice(8))) : format.day(day, "short");
}

interface Day {
  day: string;
  totals: Totals;
}

function daysOf(report: Report): Day[] {
  return report.days.map(({ day, totals }) => ({ day, totals: totals ?? create(TotalsSchema) }));
}

function dayPoints(days: Day[], format: Format, lines: (totals: Totals) => string[]): Point[] {
  return days.map(({ day, totals }) => ({
    axisLabel: axisLabel(day, days.length, format),
    title: format.day(day, "full"),
    lines: lines(totals),
  }));
}

/** Only days with readings have numbers worth a row. */
function activeDays(days: Day[]): Day[] {
  return days.filter(({ totals }) => totals.readings > 0n);
}

/** Milliseconds in the unit that suits the longest of them. */
function durationScale(longestMs: number, format: Format) {
  return longestMs < 2 * HOUR_MS
    ? { unitMs: MINUTE_MS, formatValue: format.minutes }
    : { unitMs: HOUR_MS, formatValue: format.hours };
}

export function usageChart(report: Report, { t, format }: Words): ChartModel {
  const days = daysOf(report);
  const columns = t.charts.columns;
  const useMs = days.map(({ totals }) => Number(totals.useMs));
  const { unitMs, formatValue } = durationScale(Math.max(0, ...useMs), format);
  const row = (label: string, totals: Totals) => [
    label,
    format.duration(Number(totals.useMs)),
    format.integer(Number(totals.readings)),
    format.integer(Number(totals.faults)),
  ];
  return {
    id: "use",
    title: t.charts.use,
    hint: t.charts.useHint,
    points: dayPoints(days, format, (totals) =>
      totals.readings === 0n
        ? [t.charts.noReadings]
        : [format.duration(Number(totals.useMs)), t.charts.readings(Number(totals.readings))],
    ),
    series: [
      {
        name: columns.use,
        values: useMs.map((ms) => ms / unitMs),
        kind: "bar",
        color: "brand",
      },
    ],
    sideways: false,
    formatValue,
    table: {
      columns: [columns.day, columns.use, columns.readings, columns.faults],
      rows: activeDays(days).map(({ day, totals }) => row(format.day(day, "full"), totals)),
      ...(report.totals && { total: row(columns.total, report.totals) }),
    },
  };
}

export function responseChart(report: Report, { t, format }: Words): ChartModel {
  const days = daysOf(report);
  const { mean, p95, columns } = t.charts;
  const show = (value: number | undefined) =>
    value === undefined ? "–" : format.milliseconds(value);
  const row = (label: string, totals: Totals) => [
    label,
    show(totals.responseMsMean),
    show(totals.responseMsP95),
  ];
  return {
    id: "response",
    title: t.charts.response,
    hint: t.charts.responseHint,
    points: dayPoints(days, format, (totals) =>
      totals.responseMsMean === undefined
        ? [t.charts.noReadings]
        : [`${mean}: ${show(totals.responseMsMean)}`, `${p95}: ${show(totals.responseMsP95)}`],
    ),
    series: [
      {
        name: mean,
        values: days.map(({ totals }) => totals.responseMsMean ?? null),
        kind: "line",
        color: "accent",
      },
      {
        name: p95,
        values: days.map(({ totals }) => totals.responseMsP95 ?? null),
        kind: "dashed",
        color: "accent",
      },
    ],
    sideways: false,
    formatValue: format.milliseconds,
    table: {
      columns: [columns.day, columns.mean, columns.p95],
      rows: activeDays(days).map(({ day, totals }) => row(format.day(day, "full"), totals)),
      ...(report.totals && { total: row(columns.total, report.totals) }),
    },
  };
}

export function gripsChart(report: Report, { t, format }: Words): ChartModel {
  const columns = t.charts.columns;
  const all = Number(report.totals?.readings ?? 0n);
  const grips = report.grips.map((grip) => ({
    name: t.grips[grip.grip] ?? grip.grip,
    readings: Number(grip.readings),
    use: format.duration(Number(grip.useMs)),
    share: all === 0 ? "–" : format.share(Number(grip.readings) / all),
  }));
  return {
    id: "grips",
    title: t.charts.grips,
    hint: t.charts.gripsHint,
    points: grips.map((grip) => ({
      axisLabel: grip.name,
      title: grip.name,
      lines: [`${t.charts.faultCount(grip.readings)} (${grip.share})`, grip.use],
    })),
    series: [
      {
        name: columns.times,
        values: grips.map((grip) => grip.readings),
        kind: "bar",
        color: "brand",
      },
    ],
    sideways: true,
    formatValue: format.integer,
    table: {
      columns: [columns.grip, columns.times, columns.share, columns.use],
      rows: grips.map((grip) => [grip.name, format.integer(grip.readings), grip.share, grip.use]),
    },
  };
}

export function faultsChart(report: Report, { t, format }: Words): ChartModel {
  const columns = t.charts.columns;
  const faults = report.faults.map((fault) => ({
    name: t.faults[fault.faultCode] ?? fault.faultCode,
    readings: Number(fault.readings),
    last: format.day(fault.lastDay, "long"),
  }));
  return {
    id: "faults",
    title: t.charts.faults,
    hint: t.charts.faultsHint,
    points: faults.map((fault) => ({
      axisLabel: fault.name,
      title: fault.name,
      lines: [t.charts.faultCount(fault.readings), `${columns.last}: ${fault.last}`],
    })),
    series: [
      {
        name: columns.times,
        values: faults.map((fault) => fault.readings),
        kind: "bar",
        color: "warning",
      },
    ],
    sideways: true,
    formatValue: format.integer,
    table: {
      columns: [columns.fault, columns.times, columns.last],
      rows: faults.map((fault) => [fault.name, format.integer(fault.readings), fault.last]),
    },
  };
}
