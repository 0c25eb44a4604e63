import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { FreshnessSchema } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { isComplete, isLoaded, isStale } from "./freshness";

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

test("a period is loaded once the days of it that are over are in", () => {
  const until = (day: string) => upTo(`${day}T00:00:00Z`).telemetryWatermark;
  const month = { start: "2026-09-01", end: "2026-09-30" };
  expect(isLoaded(until("2026-09-12"), month, "2026-09-12")).toBe(true);
  expect(isLoaded(until("2026-09-11"), month, "2026-09-12")).toBe(false);
  expect(isLoaded(until("2026-10-01"), month, "2026-10-20")).toBe(true);
  expect(isLoaded(until("2026-09-30"), month, "2026-10-20")).toBe(false);
  expect(isLoaded(undefined, month, "2026-10-20")).toBe(false);
});

test("a period of which no day is over is not loaded", () => {
  const day = { start: "2026-09-12", end: "2026-09-12" };
  expect(isLoaded(upTo("2026-09-12T00:00:00Z").telemetryWatermark, day, "2026-09-12")).toBe(false);
});
