import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Totals, TotalsSchema } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { en } from "../../i18n/en";
import { formats } from "../../i18n/format";
import { ru } from "../../i18n/ru";
import { type Comparison, headlines, summary } from "./comparison";

const english = { t: en, format: formats.en };

type Numbers = Partial<Omit<Totals, "$typeName" | "$unknown">>;

function totals(numbers: Numbers): Totals {
  return create(TotalsSchema, { activeDays: 10, readings: 1000n, useMs: 36_000_000n, ...numbers });
}

function headline(id: string, current: Numbers, previous?: Numbers, more?: Partial<Comparison>) {
  const comparison = {
    current: totals(current),
    previous: previous && totals(previous),
    days: 30,
    previousDays: 30,
    inProgress: false,
    previousInProgress: false,
    ...more,
  };
  const found = headlines(comparison, english).find((each) => each.id === id);
  if (!found) throw new Error(`no headline ${id}`);
  return found;
}

describe("a headline", () => {
  test("says by how much a count grew", () => {
    const { change } = headline("readings", { readings: 1120n }, { readings: 1000n });
    expect(change).toEqual({ text: "12% more", arrow: "up", tone: "neutral" });
  });

  test("calls a shorter response time better", () => {
    const { change } = headline("response", { responseMsMean: 90 }, { responseMsMean: 100 });
    expect(change).toEqual({ text: "10% faster", arrow: "down", tone: "better" });
  });

  test("calls more faults worse", () => {
    expect(headline("faults", { faults: 6n }, { faults: 4n }).change?.tone).toBe("worse");
  });

  test("has no change for a number that was not there before", () => {
    expect(headline("response", { responseMsMean: 90 }, {}).change).toBeUndefined();
  });

  test("has no change when the period before has no readings", () => {
    expect(headline("readings", {}).change).toBeUndefined();
  });

  test("does not make a change of what nobody would notice", () => {
    const { change } = headline("readings", { readings: 1001n }, { readings: 1000n });
    expect(change?.text).toBe("No change");
  });

  test("compares counts per active day, so that a short month is as good as a long one", () => {
    const { change } = headline(
      "readings",
      { readings: 2800n, activeDays: 28 },
      { readings: 3100n, activeDays: 31 },
      { days: 28, previousDays: 31 },
    );
    expect(change?.text).toBe("No change");
  });

  test("compares active days as days, and between lengths by their share", () => {
    const [february, january] = [{ activeDays: 28 }, { activeDays: 28 }];
    const days = (more: Partial<Comparison>) =>
      headline("active-days", february, january, more).change?.text;
    expect(days({})).toBe("No change");
    expect(days({ days: 28, previousDays: 31 })).toBe("11% more");
    const { change } = headline("active-days", { activeDays: 9 }, { activeDays: 8 });
    expect(change?.text).toMatch(/^1\sday more$/);
  });

  test("does not compare active days when a period lacks readings", () => {
    for (const more of [{ inProgress: true }, { previousInProgress: true }]) {
      expect(headline("active-days", {}, { activeDays: 20 }, more).change).toBeUndefined();
    }
  });

  test("names percentages by points", () => {
    const { change } = headline("battery", { batteryPctMin: 20 }, { batteryPctMin: 26 });
    expect(change).toEqual({ text: "6\u00a0points lower", arrow: "down", tone: "worse" });
  });

  test("says so where there is no number", () => {
    expect(headline("emg-quality", {}).value).toBe("No data");
  });
});

test("the summary is in whole sentences", () => {
  const comparison: Comparison = {
    current: totals({ responseMsMean: 95, faults: 2n, activeDays: 21 }),
    previous: totals({ responseMsMean: 100 }),
    days: 30,
    previousDays: 30,
    inProgress: false,
    previousInProgress: false,
  };
  const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");
  expect(plain(summary(comparison, english))).toBe(
    "You used your prosthesis on 21 of 30 days, about 29 min on each. It answered 5% faster than before. There were 2 faults.",
  );
  expect(plain(summary(comparison, { t: ru, format: formats.ru }))).toBe(
    "Вы пользовались протезом 21 день из 30, в среднем по 29 мин. Он откликался на 5 % быстрее, чем раньше. Было 2 сбоя.",
  );
});
