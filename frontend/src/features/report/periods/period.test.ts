import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formats } from "../../../i18n/format";
import {
  addDays,
  type Choice,
  changeKind,
  isDay,
  lengthOf,
  periodLabel,
  periodNames,
  readChoice,
  type Span,
  spanAround,
  step,
  writeChoice,
} from "./period";

const anyDay = fc.integer({ min: 0, max: 40_000 }).map((days) => addDays("1990-01-01", days));
const anyFixedName = fc.constantFrom("day" as const, "week" as const, "month" as const);

/** The days of a choice that names its first day. */
function spanOf(choice: Choice): Span {
  const { name, day = "", endDay = "" } = choice;
  return name === "range" ? { start: day, end: endDay } : spanAround(name, day);
}

describe("a period", () => {
  test("holds the day that it was made from", () => {
    fc.assert(
      fc.property(anyFixedName, anyDay, (name, day) => {
        const { start, end } = spanAround(name, day);
        expect(start <= day && day <= end).toBe(true);
      }),
    );
  });

  test("touches the one before and the one after", () => {
    fc.assert(
      fc.property(anyFixedName, anyDay, (name, day) => {
        const span = spanAround(name, day);
        expect(addDays(spanOf(step(name, span, -1)).end, 1)).toBe(span.start);
        expect(addDays(span.end, 1)).toBe(spanOf(step(name, span, 1)).start);
      }),
    );
  });

  test("is the same after a step there and back", () => {
    fc.assert(
      fc.property(fc.constantFrom(...periodNames), anyDay, fc.nat(365), (name, day, more) => {
        const span =
          name === "range" ? { start: day, end: addDays(day, more) } : spanAround(name, day);
        const there = spanOf(step(name, span, 1));
        expect(spanOf(step(name, there, -1))).toEqual(span);
      }),
    );
  });

  test("survives the address", () => {
    fc.assert(
      fc.property(anyFixedName, anyDay, (name, day) => {
        expect(readChoice(writeChoice({ name, day }))).toEqual({ name, day });
      }),
    );
  });
});

test("a week runs from Monday to Sunday, also over the new year", () => {
  expect(spanAround("week", "2027-01-01")).toEqual({ start: "2026-12-28", end: "2027-01-03" });
});

test("February knows leap years", () => {
  expect(lengthOf(spanAround("month", "2028-02-10"))).toBe(29);
  expect(lengthOf(spanAround("month", "2026-02-10"))).toBe(28);
});

test.each(["2026-02-30", "2026-13-01", "26-01-01", "2026-1-1", "", "yesterday"])(
  "%j is not a day",
  (text) => expect(isDay(text)).toBe(false),
);

test("an address with nonsense shows the latest month", () => {
  expect(readChoice(new URLSearchParams("period=year&day=2026-02-30"))).toEqual({ name: "month" });
});

test("a range without its end shows the month of its beginning", () => {
  expect(readChoice(new URLSearchParams("period=range&day=2026-09-04"))).toEqual({
    name: "month",
    day: "2026-09-04",
  });
});

test("a longer period over a shorter one holds its last day", () => {
  expect(changeKind("month", { start: "2026-08-31", end: "2026-09-06" })).toEqual({
    name: "month",
    day: "2026-09-01",
  });
});

test("each kind of period has a name that a person uses", () => {
  const span = { start: "2026-09-01", end: "2026-09-30" };
  expect(periodLabel("month", span, formats.en)).toBe("September 2026");
  expect(periodLabel("range", span, formats.en)).toContain("Sept 2026");
  expect(periodLabel("day", span, formats.en)).toContain("Tue");
});
