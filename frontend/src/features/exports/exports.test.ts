import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reason } from "../../gen/bionicpro/error/v1/reason_pb.js";
import { ExportSchema, ExportState } from "../../gen/bionicpro/reports/v1/export_pb.js";
import { PeriodKind } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { formats } from "../../i18n/format";
import { sampleExport } from "../../test/sample";
import { createIntents, type Wish } from "./calls";
import {
  choiceOfPeriod,
  failureOf,
  labelOf,
  linkRefreshDelayMs,
  newsOf,
  pollDelayMs,
  seenOf,
} from "./exports";
import { withExport } from "./list";

const NOW = Date.parse("2026-10-04T12:00:00Z");
const { PENDING, READY, FAILED } = ExportState;

function endingIn(seconds: number, state = READY) {
  const downloadExpiresAt = timestampFromDate(new Date(NOW + seconds * 1000));
  return sampleExport("one", { state, downloadExpiresAt });
}

describe("asking again", () => {
  test("begins after a second and gets rarer, up to a quarter of a minute", () => {
    expect(pollDelayMs(0)).toBe(1000);
    expect(pollDelayMs(1)).toBe(1000);
    expect(pollDelayMs(2)).toBe(1500);
    expect(pollDelayMs(100)).toBe(15_000);
    fc.assert(fc.property(fc.nat(200), (n) => pollDelayMs(n) <= pollDelayMs(n + 1)));
  });

  test("replaces links a minute before the first of them ends", () => {
    expect(linkRefreshDelayMs([endingIn(600), endingIn(300)], NOW)).toBe(240_000);
  });

  test("is not hurried by a clock that is wrong", () => {
    expect(linkRefreshDelayMs([endingIn(-7200)], NOW)).toBe(60_000);
  });

  test("is not needed where there is no link", () => {
    expect(linkRefreshDelayMs([], NOW)).toBeUndefined();
    expect(linkRefreshDelayMs([endingIn(600, PENDING)], NOW)).toBeUndefined();
  });
});

describe("a request", () => {
  const wish: Wish = { choice: { name: "day", day: "2026-09-01" }, format: "csv", locale: "en" };
  const numbered = () => {
    let last = 0;
    return createIntents(() => `${++last}`);
  };

  test("keeps its id over all tries", () => {
    const intents = numbered();
    expect([intents.requestIdOf(wish), intents.requestIdOf({ ...wish })]).toEqual(["1", "1"]);
  });

  test("for something else has another id", () => {
    const intents = numbered();
    const ids = [wish, { ...wish, format: "json" as const }, { ...wish, locale: "ru" as const }];
    expect(ids.map(intents.requestIdOf)).toEqual(["1", "2", "3"]);
  });

  test("for the same again, once it was granted, has another id", () => {
    const intents = numbered();
    intents.requestIdOf(wish);
    intents.done();
    expect(intents.requestIdOf(wish)).toBe("2");
  });

  test("has an id that is a UUID", () => {
    expect(createIntents().requestIdOf(wish)).toMatch(
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    );
  });
});

describe("the list", () => {
  const pages = {
    pageParams: ["", "next"],
    pages: [
      {
        $typeName: "bionicpro.reports.v1.ListExportsResponse" as const,
        exports: [sampleExport("one"), sampleExport("two", { state: PENDING })],
        nextPageToken: "next",
      },
      {
        $typeName: "bionicpro.reports.v1.ListExportsResponse" as const,
        exports: [sampleExport("three", { state: FAILED })],
        nextPageToken: "",
      },
    ],
  };
  const shape = ({ pages: all }: Pick<typeof pages, "pages">) =>
    all.map((page) =>
      page.exports.map(({ exportId, state }) => `${exportId} ${ExportState[state]}`),
    );

  test("shows an export's newest state where it stands", () => {
    expect(shape(withExport(pages, sampleExport("three")))).toEqual([
      ["one READY", "two PENDING"],
      ["three READY"],
    ]);
  });

  test("begins with an export that it did not have", () => {
    expect(shape(withExport(pages, sampleExport("four", { state: PENDING })))).toEqual([
      ["four PENDING", "one READY", "two PENDING"],
      ["three FAILED"],
    ]);
  });
});

describe("news", () => {
  const pending = sampleExport("one", { state: PENDING });
  const ready = sampleExport("one");

  test("are that a pending export is ready or has failed", () => {
    const failed = sampleExport("one", { state: FAILED });
    expect(newsOf(seenOf([pending]), [ready], undefined)).toEqual([ready]);
    expect(newsOf(seenOf([pending]), [failed], undefined)).toEqual([failed]);
  });

  test("are that a file that was ready is gone", () => {
    const lost = sampleExport("one", { state: FAILED });
    expect(newsOf(seenOf([ready]), [lost], undefined)).toEqual([lost]);
    expect(newsOf(seenOf([lost]), [ready], undefined)).toEqual([]);
  });

  test("are what has just been asked for, and not what was there", () => {
    const other = sampleExport("two");
    expect(newsOf(new Map(), [ready, other], "one")).toEqual([ready]);
  });

  test("are none where nothing has changed", () => {
    expect(newsOf(seenOf([pending]), [pending], "one")).toEqual([]);
  });
});

test("a range is asked for and named by its days", () => {
  const period = { kind: PeriodKind.RANGE, startDay: "2026-05-11", endDay: "2026-10-02" };
  const item = create(ExportSchema, { period });
  expect(item.period && choiceOfPeriod(item.period)).toEqual({
    name: "range",
    day: "2026-05-11",
    endDay: "2026-10-02",
  });
  expect(labelOf(item, formats.en)).toMatch(/^11 May\s?–\s?2 Oct 2026$/);
});

test("a failed export says its reason as a failed call does", () => {
  const item = create(ExportSchema, { failureReason: Reason.EXPORT_STORE_UNAVAILABLE });
  expect(failureOf(item)).toMatchObject({ reason: "EXPORT_STORE_UNAVAILABLE", retryable: false });
  expect(failureOf(create(ExportSchema)).reason).toBeUndefined();
});
