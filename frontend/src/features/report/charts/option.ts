// A chart model as ECharts wants it. Only types come from ECharts here.

import type { BarSeriesOption, LineSeriesOption } from "echarts/charts";
import type { GridComponentOption, TooltipComponentOption } from "echarts/components";
import type { ComposeOption } from "echarts/core";
import type { ChartModel, Point, Series } from "./model";
import { LABEL_LINE_HEIGHT } from "./style";

type ChartOption = ComposeOption<
  BarSeriesOption | LineSeriesOption | GridComponentOption | TooltipComponentOption
>;

export interface ChartColors {
  text: string;
  surface: string;
  line: string;
  brand: string;
  accent: string;
  warning: string;
}

export interface ChartStyle {
  colors: ChartColors;
  fontFamily: string;
  animated: boolean;
}

const FONT_SIZE = 12;

function series(each: Series, sideways: boolean, colors: ChartColors) {
  const color = colors[each.color];
  if (each.kind === "bar") {
    return {
      type: "bar",
      name: each.name,
      data: each.values,
      barMaxWidth: sideways ? 18 : 28,
      barCategoryGap: "25%",
      itemStyle: { color, borderRadius: sideways ? [0, 4, 4, 0] : [4, 4, 0, 0] },
      emphasis: { disabled: true },
    } satisfies BarSeriesOption;
  }
  return {
    type: "line",
    name: each.name,
    data: each.values,
    // A gap in the readings is a gap in the line.
    connectNulls: false,
    symbol: "circle",
    symbolSize: 5,
    // A day between two gaps is a dot and nothing else; over a year dots are too many.
    showAllSymbol: each.values.length <= 31 || "auto",
    lineStyle: { color, width: 2, type: each.kind === "dashed" ? "dashed" : "solid" },
    itemStyle: { color },
    emphasis: { disabled: true },
  } satisfies LineSeriesOption;
}

/** Made from nodes and classes: the content security policy allows no inline style. */
function tooltipContent(point: Point): HTMLElement {
  const content = document.createElement("div");
  const title = document.createElement("strong");
  title.textContent = point.title;
  content.append(title);
  for (const line of point.lines) {
    const row = document.createElement("div");
    row.textContent = line;
    content.append(row);
  }
  return content;
}

export function chartOption(model: ChartModel, style: ChartStyle): ChartOption {
  const { colors, fontFamily, animated } = style;
  const { sideways, points } = model;
  const label = { color: colors.text, fontSize: FONT_SIZE };
  const categories = {
    type: "category" as const,
    data: points.map((point) => point.axisLabel),
    axisTick: { show: false },
    axisLine: { lineStyle: { color: colors.line } },
    axisLabel: sideways
      ? {
          ...label,
          lineHeight: LABEL_LINE_HEIGHT,
          width: 130,
          overflow: "break" as const,
          interval: 0,
        }
      : { ...label, hideOverlap: true },
  };
  const values = {
    type: "value" as const,
    // Response times far from zero still show how they change.
    scale: model.series.every((each) => each.kind !== "bar"),
    splitNumber: 4,
    splitLine: { lineStyle: { color: colors.line } },
    axisLabel: { ...label, formatter: model.formatValue, hideOverlap: true },
  };
  return {
    animation: animated,
    animationDuration: 300,
    textStyle: { fontFamily },
    grid: { left: 0, right: sideways ? 44 : 8, top: 12, bottom: 0, outerBoundsMode: "same" },
    xAxis: sideways
      ? { ...values, axisLabel: { show: false }, splitLine: { show: false } }
      : categories,
    yAxis: sideways ? { ...categories, inverse: true, axisLine: { show: false } } : values,
    series: model.series.map((each) => ({
      ...series(each, sideways, colors),
      ...(sideways && {
        label: {
          show: true,
          position: "right" as const,
          ...label,
          formatter: ({ value }: { value: unknown }) => model.formatValue(Number(value)),
        },
      }),
    })),
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: colors.surface,
      borderColor: colors.line,
      textStyle: { color: colors.text, fontFamily, fontSize: 13 },
      axisPointer: { type: sideways ? "none" : "line", lineStyle: { color: colors.line } },
      transitionDuration: animated ? 0.2 : 0,
      formatter: (params) => {
        const [first] = Array.isArray(params) ? params : [params];
        const point = first && points[first.dataIndex];
        return point ? tooltipContent(point) : "";
      },
    },
  };
}
