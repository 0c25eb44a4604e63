// What the watermarks mean for a reader.

import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Freshness } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { addDays, type Span } from "./periods/period";

/** The daily load runs once a day: older than a day and a half is late. */
const STALE_AFTER_MS = 36 * 3_600_000;

export function isStale(freshness: Freshness | undefined, now: Date): boolean {
  const watermark = freshness?.telemetryWatermark;
  if (!watermark) return false;
  return now.getTime() - timestampDate(watermark).getTime() > STALE_AFTER_MS;
}

/**
 * Whether every day of the span that is over by `today` is in; of a span that
 * has only begun, whether its first day is.
 */
export function isLoaded(watermark: Timestamp | undefined, span: Span, today: string): boolean {
  const lastDay = span.end < today ? span.end : addDays(today, -1);
  return isComplete(watermark, lastDay) && isComplete(watermark, span.start);
}

/** Whether all readings up to the end of the last day (UTC) are in. */
export function isComplete(watermark: Timestamp | undefined, lastDay: string): boolean {
  if (!watermark) return false;
  return timestampDate(watermark) >= new Date(`${addDays(lastDay, 1)}T00:00:00Z`);
}
