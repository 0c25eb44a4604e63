import { describe, expect, test } from "vitest";
import { en } from "../../../i18n/en";
import { formats } from "../../../i18n/format";
import { sampleReport } from "../../../test/sample";
import { faultsChart, gripsChart, responseChart, usageChart } from "./model";
import { chartOption } from "./option";

const words = { t: en, format: formats.en };
const style = {
  colors: { text: "", surface: "", line: "", brand: "", accent: "", warning: "" },
  fontFamily: "sans-serif",
  animated: false,
};
const makers = [usageChart, responseChart, gripsChart, faultsChart];

describe.each(makers.map((make) => [make.name, make] as const))("%s", (_, make) => {
  const model = make(sampleReport(), words);

  test("says something about every value that it draws", () => {
    for (const series of model.series) expect(series.values).toHaveLength(model.points.length);
  });

  test("has a cell for every column of its table", () => {
    const rows = [...model.table.rows, ...(model.table.total ? [model.table.total] : [])];
    for (const row of rows) expect(row).toHaveLength(model.table.columns.length);
  });
});

test("a day without readings is a gap in the line and no row of the table", () => {
  const model = responseChart(sampleReport(), words);
  expect(model.series[0]?.values[9]).toBeNull();
  expect(model.points[9]?.lines).toEqual([en.charts.noReadings]);
  expect(model.table.rows).toHaveLength(27);
});

test("use is drawn in hours once a day has more than two of them", () => {
  const report = sampleReport();
  const [first] = report.days;
  if (first?.totals) first.totals.useMs = 10_800_000n;
  const model = usageChart(report, words);
  expect(model.series[0]?.values[0]).toBe(3);
  expect(model.formatValue(3)).toBe("3\u00a0h");
});

test("a grip without a name in the dictionary keeps its code", () => {
  const model = gripsChart(sampleReport(), words);
  expect(model.points.map((point) => point.title)).toEqual(["Power grip", "Pinch", "gesture_17"]);
});

test("what came from a device is text in the tooltip, never markup", () => {
  const report = sampleReport();
  const [fault] = report.faults;
  if (fault) fault.faultCode = "<img src=x onerror=alert(1)>";
  const { tooltip } = chartOption(faultsChart(report, words), style);
  if (!tooltip || Array.isArray(tooltip) || typeof tooltip.formatter !== "function") {
    throw new Error("the chart has no tooltip of its own");
  }
  const content = tooltip.formatter([{ dataIndex: 0 }] as never, "", () => {});
  expect(content).toBeInstanceOf(HTMLElement);
  expect((content as HTMLElement).querySelector("img")).toBeNull();
});
