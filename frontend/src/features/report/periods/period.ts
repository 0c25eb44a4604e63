// Arithmetic of periods and their place in the page's address. Days are
// strings, YYYY-MM-DD, and days of UTC.

import type { PeriodSelector } from "../../../gen/bionicpro/reports/v1/report_pb.js";
import { PeriodKind } from "../../../gen/bionicpro/reports/v1/report_pb.js";
import type { Format } from "../../../i18n/format";

export const periodNames = ["day", "week", "month", "range"] as const;
export type PeriodName = (typeof periodNames)[number];

/** Days from start to end, both within it. */
export interface Span {
  start: string;
  end: string;
}

/** What the person asks for. Without a day: the latest period that has data. */
export interface Choice {
  name: PeriodName;
  day?: string;
  endDay?: string;
}

const DAY_MS = 86_400_000;

const kinds: Record<PeriodName, PeriodKind> = {
  day: PeriodKind.DAY,
  week: PeriodKind.WEEK,
  month: PeriodKind.MONTH,
  range: PeriodKind.RANGE,
};

export function kindOf(name: PeriodName): PeriodKind {
  return kinds[name];
}

function toDate(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function toDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Whether the text is a day that exists. */
export function isDay(text: string | null): text is string {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = toDate(text);
  return !Number.isNaN(date.getTime()) && toDay(date) === text;
}

export function today(): string {
  return toDay(new Date());
}

export function contains(span: Span, day: string): boolean {
  return span.start <= day && day <= span.end;
}

export function addDays(day: string, count: number): string {
  return toDay(new Date(toDate(day).getTime() + count * DAY_MS));
}

/** How many days the span has. */
export function lengthOf(span: Span): number {
  return Math.round((toDate(span.end).getTime() - toDate(span.start).getTime()) / DAY_MS) + 1;
}

/** The day, the ISO week or the month around a day. */
export function spanAround(name: Exclude<PeriodName, "range">, day: string): Span {
  if (name === "day") return { start: day, end: day };
  if (name === "week") {
    const sinceMonday = (toDate(day).getUTCDay() + 6) % 7;
    const start = addDays(day, -sinceMonday);
    return { start, end: addDays(start, 6) };
  }
  const date = toDate(day);
  const start = `${day.slice(0, 8)}01`;
  const end = toDay(new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)));
  return { start, end };
}

/** The period directly before (-1) or after (1), of the same length. */
export function step(name: PeriodName, span: Span, direction: -1 | 1): Choice {
  const day =
    direction === 1
      ? addDays(span.end, 1)
      : addDays(span.start, name === "range" ? -lengthOf(span) : -1);
  if (name === "range") return { name, day, endDay: addDays(day, lengthOf(span) - 1) };
  return { name, day: spanAround(name, day).start };
}

/** The same place in time, seen in periods of another kind. */
export function changeKind(name: PeriodName, span: Span | undefined): Choice {
  if (!span) return name === "range" ? { name: "month" } : { name };
  if (name === "range") return { name, day: span.start, endDay: span.end };
  // Its last day; the future has no readings.
  const over = span.end < today();
  const day = over ? span.end : today();
  return { name, day: spanAround(name, day).start };
}

/** What the address asks for; what it gets wrong is as if it were not there. */
export function readChoice(params: URLSearchParams): Choice {
  const wanted = params.get("period");
  const name = periodNames.find((each) => each === wanted) ?? "month";
  const day = params.get("day");
  const endDay = params.get("end");
  if (!isDay(day)) return { name: name === "range" ? "month" : name };
  if (name !== "range") return { name, day };
  return isDay(endDay) ? { name, day, endDay } : { name: "month", day };
}

/** The address of a choice. */
export function writeChoice(choice: Choice): URLSearchParams {
  const params = new URLSearchParams({ period: choice.name });
  if (choice.day) params.set("day", choice.day);
  if (choice.endDay) params.set("end", choice.endDay);
  return params;
}

/** The choice as the contract asks it. */
export function toSelector(choice: Choice): Pick<PeriodSelector, "kind" | "day" | "endDay"> {
  return { kind: kinds[choice.name], day: choice.day ?? "", endDay: choice.endDay ?? "" };
}

/** The period as a person calls it. */
export function periodLabel(name: PeriodName, span: Span, format: Format): string {
  if (name === "day") return format.day(span.start, "full");
  if (name === "month") return format.day(span.start, "month");
  return format.days(span.start, span.end);
}
