import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { FreshnessSchema } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { isComplete, isStale } from "./freshness";

const upTo = (moment: string) =>
  create(FreshnessSchema, { telemetryWatermark: timestampFromDate(new Date(moment)) });

test("readings are stale after a day and a half", () => {
  const freshness = upTo("2026-10-01T00:00:00Z");
  expect(isStale(freshness, new Date("2026-10-02T12:00:00Z"))).toBe(false);
  expect(isStale(freshness, new Date("2026-10-02T12:00:01Z"))).toBe(true);
});

test("what was never loaded is not stale", () => {
  expect(isStale(create(FreshnessSchema), new Date())).toBe(false);
});

test("a period is complete once the watermark is behind its last day", () => {
  const until = (moment: string) => upTo(moment).telemetryWatermark;
  expect(isComplete(until("2026-10-01T00:00:00Z"), "2026-09-30")).toBe(true);
  expect(isComplete(until("2026-09-30T23:59:59Z"), "2026-09-30")).toBe(false);
  expect(isComplete(undefined, "2026-09-30")).toBe(false);
});
