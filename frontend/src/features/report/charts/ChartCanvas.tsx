// Draws a chart with ECharts. Loaded when the first chart is shown.

import { VisuallyHidden } from "@mantine/core";
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { type ECharts, init, use as register } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef, useState } from "react";
import { useI18n } from "../../../i18n/I18n";
import classes from "./Chart.module.css";
import type { ChartModel } from "./model";
import { chartOption } from "./option";
import { useChartStyle } from "./style";

register([BarChart, LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

export default function ChartCanvas({ model, height }: { model: ChartModel; height: number }) {
  const { t } = useI18n();
  const style = useChartStyle();
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const [index, setIndex] = useState(0);
  const last = model.points.length - 1;
  const point = model.points[Math.min(index, last)];

  useEffect(() => {
    if (!host.current) return;
    const instance = init(host.current);
    chart.current = instance;
    const observer = new ResizeObserver(() => instance.resize());
    observer.observe(host.current);
    return () => {
      observer.disconnect();
      instance.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(chartOption(model, style), { notMerge: true });
  }, [model, style]);

  const show = (dataIndex: number) => {
    setIndex(dataIndex);
    chart.current?.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex });
  };
  const hide = () => chart.current?.dispatchAction({ type: "hideTip" });

  return (
    <div className={classes.canvas} style={{ height }}>
      <div ref={host} className={classes.host} aria-hidden="true" />
      {point && (
        // The same values by keyboard and screen reader.
        <VisuallyHidden>
          <input
            type="range"
            min={0}
            max={last}
            value={Math.min(index, last)}
            aria-label={t.charts.explore(model.title)}
            aria-valuetext={[point.title, ...point.lines].join(", ")}
            onChange={(event) => show(Number(event.currentTarget.value))}
            onFocus={() => show(Math.min(index, last))}
            onBlur={hide}
          />
        </VisuallyHidden>
      )}
    </div>
  );
}
