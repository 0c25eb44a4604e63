// The period's headline numbers, each with its change against the period
// before, in words. Plain data in, plain data out. Periods differ in length and
// the current one goes on: counts are compared per active day.

import type { Totals } from "../../gen/bionicpro/reports/v1/report_pb.js";
import type { Dictionary } from "../../i18n/en";
import type { Format } from "../../i18n/format";

export interface Change {
  text: string;
  arrow: "up" | "down" | "none";
  tone: "better" | "worse" | "neutral";
}

export interface Headline {
  id: string;
  label: string;
  value: string;
  note: string;
  change: Change | undefined;
}

export interface Comparison {
  current: Totals;
  /** The period before; undefined when it has no readings. */
  previous: Totals | undefined;
  /** How many days the two periods have. */
  days: number;
  previousDays: number;
  /** A period lacks readings: how many days were active is not compared. */
  inProgress: boolean;
  previousInProgress: boolean;
}

interface Words {
  t: Dictionary;
  format: Format;
}

/** Below half a per cent a change is none that a person would name. */
const NOTICEABLE = 0.005;

type Phrase = (amount: string) => string;

function inWords(
  difference: number,
  amount: string,
  [up, down]: [Phrase, Phrase],
  good: "up" | "down" | "neither",
): Change {
  const arrow = difference > 0 ? "up" : "down";
  const tone = good === "neither" ? "neutral" : good === arrow ? "better" : "worse";
  return { text: (arrow === "up" ? up : down)(amount), arrow, tone };
}

/** The change relative to before: 0.12 is 12% more. */
export function relativeChange(current: number, previous: number): number | undefined {
  return previous === 0 ? undefined : (current - previous) / previous;
}

function relative(
  current: number | undefined,
  previous: number | undefined,
  phrases: [Phrase, Phrase],
  good: "up" | "down" | "neither",
  { t, format }: Words,
): Change | undefined {
  if (current === undefined || previous === undefined) return undefined;
  const change = relativeChange(current, previous);
  if (change === undefined) {
    return current === 0 ? { text: t.totals.same, arrow: "none", tone: "neutral" } : undefined;
  }
  if (Math.abs(change) < NOTICEABLE) return { text: t.totals.same, arrow: "none", tone: "neutral" };
  return inWords(change, format.percent(Math.abs(change)), phrases, good);
}

function absolute(
  current: number | undefined,
  previous: number | undefined,
  amount: (difference: number) => string,
  phrases: [Phrase, Phrase],
  { t }: Words,
): Change | undefined {
  if (current === undefined || previous === undefined) return undefined;
  const difference = Math.round(current) - Math.round(previous);
  if (difference === 0) return { text: t.totals.same, arrow: "none", tone: "neutral" };
  return inWords(difference, amount(Math.abs(difference)), phrases, "up");
}

function perActiveDay(totals: Totals | undefined, pick: (totals: Totals) => bigint) {
  if (!totals || totals.activeDays === 0) return undefined;
  return Number(pick(totals)) / totals.activeDays;
}

/** By days between periods of one length, else by the share of the days. */
function activeDaysChange(comparison: Comparison, words: Words): Change | undefined {
  const { current, previous, days, previousDays } = comparison;
  const { more, less, daysMore } = words.t.totals;
  if (comparison.inProgress || comparison.previousInProgress || !previous) return undefined;
  return days === previousDays
    ? absolute(current.activeDays, previous.activeDays, daysMore, [more, less], words)
    : relative(
        current.activeDays / days,
        previous.activeDays / previousDays,
        [more, less],
        "up",
        words,
      );
}

export function headlines(comparison: Comparison, words: Words): Headline[] {
  const { current, previous, days } = comparison;
  const { t, format } = words;
  const text = t.totals;
  const count = (pick: (totals: Totals) => bigint, good: "down" | "neither") =>
    relative(
      perActiveDay(current, pick),
      perActiveDay(previous, pick),
      [text.more, text.less],
      good,
      words,
    );
  const optional = (value: number | undefined, show: (value: number) => string) =>
    value === undefined ? text.none : show(value);
  const readings = Number(current.readings);
  return [
    {
      id: "use",
      label: text.use,
      value: format.duration(Number(current.useMs)),
      note: current.activeDays
        ? text.perActiveDay(format.duration(Number(current.useMs) / current.activeDays))
        : "",
      change: count((totals) => totals.useMs, "neither"),
    },
    {
      id: "readings",
      label: text.readings,
      value: format.integer(readings),
      note: current.activeDays
        ? text.perActiveDay(format.integer(readings / current.activeDays))
        : "",
      change: count((totals) => totals.readings, "neither"),
    },
    {
      id: "active-days",
      label: text.activeDays,
      value: format.integer(current.activeDays),
      note: text.ofDays(days),
      change: activeDaysChange(comparison, words),
    },
    {
      id: "response",
      label: text.response,
      value: optional(current.responseMsMean, format.milliseconds),
      note: optional(current.responseMsP95, (ms) => text.p95(format.milliseconds(ms))),
      change: relative(
        current.responseMsMean,
        previous?.responseMsMean,
        [text.slower, text.faster],
        "down",
        words,
      ),
    },
    {
      id: "force",
      label: text.force,
      value: optional(current.forceMnMean, format.newtons),
      note: text.forceNote,
      change: relative(
        current.forceMnMean,
        previous?.forceMnMean,
        [text.higher, text.lower],
        "neither",
        words,
      ),
    },
    {
      id: "emg-quality",
      label: text.emg,
      value: optional(current.emgQualityPctMean, (pct) => format.percent(pct / 100)),
      note: text.emgNote,
      change: absolute(
        current.emgQualityPctMean,
        previous?.emgQualityPctMean,
        text.points,
        [text.higher, text.lower],
        words,
      ),
    },
    {
      id: "battery",
      label: text.battery,
      value: optional(current.batteryPctMin, (pct) => format.percent(pct / 100)),
      note: text.batteryNote,
      change: absolute(
        current.batteryPctMin,
        previous?.batteryPctMin,
        text.points,
        [text.higher, text.lower],
        words,
      ),
    },
    {
      id: "faults",
      label: text.faults,
      value: format.integer(Number(current.faults)),
      note: readings ? text.faultsPer(format.share(Number(current.faults) / readings)) : "",
      change: count((totals) => totals.faults, "down"),
    },
  ];
}

/** The period in two or three plain sentences. */
export function summary(comparison: Comparison, { t, format }: Words): string {
  const { current, previous, days } = comparison;
  const use = Number(current.useMs);
  const sentences = [
    days === 1
      ? t.report.summaryDay(format.duration(use))
      : t.report.summary(current.activeDays, days, format.duration(use / current.activeDays)),
  ];
  if (current.responseMsMean !== undefined && previous?.responseMsMean !== undefined) {
    const change = relativeChange(current.responseMsMean, previous.responseMsMean) ?? 0;
    const percent = format.percent(Math.abs(change));
    if (Math.abs(change) < 0.01) sentences.push(t.report.summarySteady);
    else sentences.push((change < 0 ? t.report.summaryFaster : t.report.summarySlower)(percent));
  }
  sentences.push(t.report.summaryFaults(Number(current.faults)));
  return sentences.join(" ");
}
