// Numbers, durations and days as a person of the locale writes them. Days are
// days of UTC, as in the contract; moments are shown in UTC too and say so.

import type { Locale } from "./locale";

const MINUTE_MS = 60_000;
/** Between a number and its unit, so that a line never breaks there. */
const NBSP = "\u00a0";

// British English writes dates that nobody outside America misreads.
const tags: Record<Locale, string> = { en: "en-GB", ru: "ru" };

const units: Record<Locale, { h: string; min: string; s: string; ms: string; n: string }> = {
  en: { h: "h", min: "min", s: "s", ms: "ms", n: "N" },
  ru: { h: "ч", min: "мин", s: "с", ms: "мс", n: "Н" },
};

type DayStyle = "full" | "long" | "short" | "weekday" | "month";

const dayStyles: Record<DayStyle, Intl.DateTimeFormatOptions> = {
  full: { weekday: "short", day: "numeric", month: "long", year: "numeric" },
  long: { day: "numeric", month: "long", year: "numeric" },
  short: { day: "numeric", month: "short" },
  weekday: { weekday: "short", day: "numeric" },
  month: { month: "long", year: "numeric" },
};

export interface Format {
  /** 12,345 */
  integer(value: number): string;
  /** 12% from 0.12 */
  percent(ratio: number): string;
  /** 0.4% from 0.004: a share, which can be small. */
  share(ratio: number): string;
  /** 1 h 5 min, 5 min, 12 s; from milliseconds. */
  duration(ms: number): string;
  /** 1.5 h */
  hours(hours: number): string;
  /** 45 min */
  minutes(minutes: number): string;
  /** 182 ms */
  milliseconds(ms: number): string;
  /** 12.3 N from millinewtons. */
  newtons(mn: number): string;
  /** 12.3 kB: the size of a file. */
  bytes(bytes: number): string;
  /** A day of UTC, YYYY-MM-DD. */
  day(day: string, style: DayStyle): string;
  /** A span of days, both within it, without what both have in common. */
  days(start: string, end: string): string;
  /** A moment, in UTC. */
  moment(date: Date): string;
}

/** Thousands of bytes, as file managers count; small files to the byte. */
function makeBytes(tag: string): (bytes: number) => string {
  const whole = new Intl.NumberFormat(tag, { style: "unit", unit: "byte", unitDisplay: "long" });
  const larger = ["kilobyte", "megabyte", "gigabyte"].map(
    (unit) => new Intl.NumberFormat(tag, { style: "unit", unit, maximumSignificantDigits: 3 }),
  );
  return (bytes) => {
    const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), larger.length);
    return (larger[power - 1] ?? whole).format(bytes / 1000 ** power);
  };
}

function utcDay(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function makeFormat(locale: Locale): Format {
  const tag = tags[locale];
  const unit = units[locale];
  const integer = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
  const decimal = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 0 });
  const share = new Intl.NumberFormat(tag, { style: "percent", maximumSignificantDigits: 2 });
  const dateFormat = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(tag, { ...options, timeZone: "UTC" });
  const dayFormats: Record<DayStyle, Intl.DateTimeFormat> = {
    full: dateFormat(dayStyles.full),
    long: dateFormat(dayStyles.long),
    short: dateFormat(dayStyles.short),
    weekday: dateFormat(dayStyles.weekday),
    month: dateFormat(dayStyles.month),
  };
  const moment = dateFormat({
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    timeZoneName: "short",
  });
  const span = dateFormat({ day: "numeric", month: "short", year: "numeric" });
  const withUnit = (text: string, name: string) => `${text}${NBSP}${name}`;
  return {
    integer: (value) => integer.format(value),
    percent: (ratio) => percent.format(ratio),
    share: (ratio) => share.format(ratio),
    duration: (ms) => {
      if (ms < MINUTE_MS) return withUnit(integer.format(ms / 1000), unit.s);
      const minutes = Math.round(ms / MINUTE_MS);
      if (minutes < 60) return withUnit(integer.format(minutes), unit.min);
      const hours = withUnit(integer.format(Math.floor(minutes / 60)), unit.h);
      const rest = minutes % 60;
      return rest === 0 ? hours : `${hours} ${withUnit(integer.format(rest), unit.min)}`;
    },
    hours: (hours) => withUnit(decimal.format(hours), unit.h),
    minutes: (minutes) => withUnit(integer.format(minutes), unit.min),
    milliseconds: (ms) => withUnit(integer.format(ms), unit.ms),
    newtons: (mn) => withUnit(decimal.format(mn / 1000), unit.n),
    bytes: makeBytes(tag),
    day: (day, style) => {
      const text = dayFormats[style].format(utcDay(day));
      return style === "month" || style === "full" ? capitalised(text) : text;
    },
    days: (start, end) => span.formatRange(utcDay(start), utcDay(end)),
    moment: (date) => moment.format(date),
  };
}

export const formats: Record<Locale, Format> = { en: makeFormat("en"), ru: makeFormat("ru") };
