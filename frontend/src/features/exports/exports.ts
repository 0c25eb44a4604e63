// What an export's message means for the page: names of its parts, when to ask
// again, and what has become of it since the last look. No component, no call.

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { Reason } from "../../gen/bionicpro/error/v1/reason_pb.js";
import {
  type Export,
  ExportFormat,
  ExportState,
  Language,
} from "../../gen/bionicpro/reports/v1/export_pb.js";
import { type Period, PeriodKind } from "../../gen/bionicpro/reports/v1/report_pb.js";
import type { Format } from "../../i18n/format";
import type { Locale } from "../../i18n/locale";
import type { Failure } from "../../rpc/failure";
import { type Choice, type PeriodName, periodLabel, type Span } from "../report/periods/period";

export type FormatName = "csv" | "json";

export const formatNames = ["csv", "json"] as const;

const FIRST_POLL_MS = 1_000;
const POLL_GROWTH = 1.5;
const LONGEST_POLL_MS = 15_000;
/** A link is replaced so long before it ends. */
const LINK_MARGIN_MS = 60_000;
/** However short a link lives or wrong the device's clock is: not more often. */
const SHORTEST_REFRESH_MS = 60_000;

const formats: Record<FormatName, ExportFormat> = {
  csv: ExportFormat.CSV,
  json: ExportFormat.JSON,
};

export function toFormat(name: FormatName): ExportFormat {
  return formats[name];
}

export function formatNameOf({ format }: Export): FormatName {
  return format === ExportFormat.JSON ? "json" : "csv";
}

export function toLanguage(locale: Locale): Language {
  return locale === "ru" ? Language.RUSSIAN : Language.ENGLISH;
}

/** The language of an export; undefined where the format is the same in every one. */
export function localeOf({ language }: Export): Locale | undefined {
  if (language === Language.UNSPECIFIED) return undefined;
  return language === Language.RUSSIAN ? "ru" : "en";
}

const periodNames: Partial<Record<PeriodKind, PeriodName>> = {
  [PeriodKind.DAY]: "day",
  [PeriodKind.WEEK]: "week",
  [PeriodKind.MONTH]: "month",
};

/** The choice that names the days of a span, whatever day is the latest by then. */
export function choiceOf(name: PeriodName, { start, end }: Span): Choice {
  return name === "range" ? { name, day: start, endDay: end } : { name, day: start };
}

export function choiceOfPeriod({ kind, startDay, endDay }: Period): Choice {
  return choiceOf(periodNames[kind] ?? "range", { start: startDay, end: endDay });
}

/** The period of an export as a person calls it. */
export function labelOf({ period }: Export, format: Format): string {
  if (!period) return "";
  const span = { start: period.startDay, end: period.endDay };
  return periodLabel(periodNames[period.kind] ?? "range", span, format);
}

/** Why an export failed, as a failed call would have said it. Trying again is the person's choice. */
export function failureOf({ failureReason }: Export): Failure {
  return {
    reason: failureReason === Reason.UNSPECIFIED ? undefined : Reason[failureReason],
    code: Code.Internal,
    retryAfterMs: undefined,
    retryable: false,
    signedOut: false,
  };
}

/** How long to wait before asking again after `answers` answers: ever longer, up to a limit. */
export function pollDelayMs(answers: number): number {
  const delay = FIRST_POLL_MS * POLL_GROWTH ** Math.max(0, answers - 1);
  return Math.min(delay, LONGEST_POLL_MS);
}

/** In how many milliseconds the links need to be replaced; undefined when there are none. */
export function linkRefreshDelayMs(exports: Export[], now: number): number | undefined {
  const ends = exports.flatMap(({ state, downloadExpiresAt }) =>
    state === ExportState.READY && downloadExpiresAt
      ? [timestampDate(downloadExpiresAt).getTime()]
      : [],
  );
  if (ends.length === 0) return undefined;
  return Math.max(Math.min(...ends) - LINK_MARGIN_MS - now, SHORTEST_REFRESH_MS);
}

/** The state that each export had when it was last looked at. */
export type Seen = ReadonlyMap<string, ExportState>;

export function seenOf(exports: Export[]): Seen {
  return new Map(exports.map(({ exportId, state }) => [exportId, state]));
}

/** Whether a file that was ready has gone. */
export function isLost(before: ExportState | undefined, state: ExportState): boolean {
  return before === ExportState.READY && state === ExportState.FAILED;
}

/** The exports of which somebody who waits wants to hear: just asked for, or no longer pending. */
export function newsOf(seen: Seen, exports: Export[], madeId: string | undefined): Export[] {
  return exports.filter(({ exportId, state }) => {
    const before = seen.get(exportId);
    if (before === undefined) return exportId === madeId;
    if (before === state) return false;
    return before === ExportState.PENDING || isLost(before, state) || exportId === madeId;
  });
}
