// A chart with its title, and its table for who would rather read.

import { Paper, SegmentedControl, Skeleton, Title } from "@mantine/core";
import { Component, lazy, type ReactNode, Suspense, useId, useState } from "react";
import { useI18n } from "../../../i18n/I18n";
import classes from "./Chart.module.css";
import { ChartTable } from "./ChartTable";
import type { ChartModel } from "./model";
import { LABEL_LINE_HEIGHT } from "./style";

const ChartCanvas = lazy(() => import("./ChartCanvas"));

/** When the code for charts cannot be loaded, the table stands in. */
class ChartBoundary extends Component<{ fallback: ReactNode; children: ReactNode }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.fallback : this.props.children;
  }
}

const HEIGHT = 240;
const BAR_HEIGHT = 36;
/** About as many characters of a bar's name fit on a line. */
const LABEL_LENGTH = 16;

/** The height of a chart whose bars lie, each with room for the longest name. */
function heightOfBars({ points }: ChartModel): number {
  const longest = Math.max(0, ...points.map(({ axisLabel }) => axisLabel.length));
  const name = Math.ceil(longest / LABEL_LENGTH) * LABEL_LINE_HEIGHT + 8;
  return Math.max(points.length * Math.max(BAR_HEIGHT, name), 120);
}

interface ChartCardProps {
  model: ChartModel;
  /** Said instead when there is nothing to draw. */
  empty?: string;
}

export function ChartCard({ model, empty }: ChartCardProps) {
  const { t } = useI18n();
  const [view, setView] = useState("chart");
  const titleId = useId();
  const height = model.sideways ? heightOfBars(model) : HEIGHT;
  const isEmpty = empty !== undefined && model.points.length === 0;
  const table = <ChartTable table={model.table} caption={model.title} />;

  return (
    <Paper
      component="section"
      className={classes.card}
      aria-labelledby={titleId}
      data-chart={model.id}
    >
      <header className={classes.header}>
        <div>
          <Title order={2} size="h4" id={titleId}>
            {model.title}
          </Title>
          <p className={classes.hint}>{model.hint}</p>
        </div>
        {!isEmpty && (
          <SegmentedControl
            size="xs"
            value={view}
            onChange={setView}
            aria-label={t.charts.view(model.title)}
            data={[
              { value: "chart", label: t.charts.chart },
              { value: "table", label: t.charts.table },
            ]}
          />
        )}
      </header>
      {isEmpty && <p className={classes.empty}>{empty}</p>}
      {!isEmpty && view === "table" && table}
      {!isEmpty && view === "chart" && (
        <>
          <Legend model={model} />
          <ChartBoundary
            fallback={
              <>
                <p role="alert">{t.charts.failed}</p>
                {table}
              </>
            }
          >
            <Suspense fallback={<Skeleton height={height} />}>
              <ChartCanvas model={model} height={height} />
            </Suspense>
          </ChartBoundary>
        </>
      )}
    </Paper>
  );
}

/** Names the lines by colour and by how they are drawn. */
function Legend({ model }: { model: ChartModel }) {
  if (model.series.length < 2) return null;
  return (
    <ul className={classes.legend}>
      {model.series.map((series) => (
        <li key={series.name} data-kind={series.kind}>
          {series.name}
        </li>
      ))}
    </ul>
  );
}
