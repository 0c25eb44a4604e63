import { expect, test } from "vitest";
import { formats } from "./format";

/** Intl uses several kinds of space; a reader sees one. */
const plain = (text: string) => text.replaceAll(/[\u00a0\u2009\u202f]/g, " ");

test("a duration has hours only when it needs them", () => {
  const { duration } = formats.en;
  expect(plain(duration(0))).toBe("0 s");
  expect(plain(duration(12_000))).toBe("12 s");
  expect(plain(duration(5 * 60_000))).toBe("5 min");
  expect(plain(duration(60 * 60_000))).toBe("1 h");
  expect(plain(duration(65 * 60_000))).toBe("1 h 5 min");
  expect(plain(formats.ru.duration(65 * 60_000))).toBe("1 ч 5 мин");
});

test("minutes that round up to an hour are an hour", () => {
  expect(plain(formats.en.duration(59.6 * 60_000))).toBe("1 h");
});

test("a file's size is in the unit that a person would choose", () => {
  const { bytes } = formats.en;
  expect([0, 812, 999, 1000, 18_432, 1_284_000].map(bytes).map(plain)).toEqual([
    "0 bytes",
    "812 bytes",
    "999 bytes",
    "1 kB",
    "18.4 kB",
    "1.28 MB",
  ]);
  expect(plain(formats.ru.bytes(18_432))).toBe("18,4 кБ");
  expect(plain(formats.ru.bytes(1))).toBe("1 байт");
});

test("a small share keeps its digits", () => {
  expect(plain(formats.en.share(0.00712))).toBe("0.71%");
  expect(plain(formats.ru.share(0.52))).toBe("52 %");
});

test("a day is the day of UTC wherever the reader is", () => {
  expect(plain(formats.en.day("2026-03-01", "long"))).toBe("1 March 2026");
  expect(plain(formats.ru.day("2026-03-01", "long"))).toBe("1 марта 2026 г.");
});

test("a month stands alone in the nominative", () => {
  expect(plain(formats.ru.day("2026-11-16", "month"))).toBe("Ноябрь 2026 г.");
});

test("a span says once what both days have in common", () => {
  // Versions of ICU differ in the spaces around the dash.
  expect(plain(formats.en.days("2026-11-16", "2026-11-22"))).toMatch(/^16 ?– ?22 Nov 2026$/);
  expect(plain(formats.ru.days("2026-11-30", "2026-12-06"))).toMatch(
    /^30 нояб\. ?– ?6 дек\. 2026 г\.$/,
  );
});

test("a moment says that it is UTC", () => {
  expect(formats.en.moment(new Date("2026-10-01T06:12:00Z"))).toContain("06:12 UTC");
});
