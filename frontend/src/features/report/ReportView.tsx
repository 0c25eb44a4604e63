// A report's content: what it says in words, in numbers, in charts.

import { Button, Paper } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "react-router";
import { Notice } from "../../components/Notice";
import type { Report } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { useI18n } from "../../i18n/I18n";
import { ChartCard } from "./charts/ChartCard";
import { faultsChart, gripsChart, responseChart, usageChart } from "./charts/model";
import { type Comparison, summary } from "./comparison";
import { Devices } from "./Devices";
import { Freshness } from "./Freshness";
import { isComplete, isLoaded } from "./freshness";
import { Headlines } from "./Headlines";
import { lengthOf, type PeriodName, type Span, today, writeChoice } from "./periods/period";
import classes from "./Report.module.css";

interface ReportViewProps {
  report: Report;
  name: PeriodName;
}

export function ReportView({ report, name }: ReportViewProps) {
  const i18n = useI18n();
  const { period, previousPeriod, totals } = report;
  const charts = useMemo(
    () => ({
      usage: usageChart(report, i18n),
      response: responseChart(report, i18n),
      grips: gripsChart(report, i18n),
      faults: faultsChart(report, i18n),
    }),
    [report, i18n],
  );
  if (!period || !totals || totals.readings === 0n) {
    return <EmptyReport report={report} name={name} />;
  }
  const span: Span = { start: period.startDay, end: period.endDay };
  const days = lengthOf(span);
  const previousSpan = previousPeriod && {
    start: previousPeriod.startDay,
    end: previousPeriod.endDay,
  };
  const previous = report.previousTotals;
  const comparison: Comparison = {
    current: totals,
    previous: previous && previous.readings > 0n ? previous : undefined,
    days,
    previousDays: previousSpan ? lengthOf(previousSpan) : days,
    inProgress: !isComplete(report.freshness?.telemetryWatermark, span.end),
    previousInProgress:
      previousSpan !== undefined &&
      !isComplete(report.freshness?.previousTelemetryWatermark, previousSpan.end),
  };

  return (
    <>
      <Freshness freshness={report.freshness} />
      <Paper className={classes.summary}>
        <p>{summary(comparison, i18n)}</p>
      </Paper>
      <Headlines comparison={comparison} previousPeriod={previousPeriod} name={name} />
      {days > 1 && (
        <>
          <ChartCard model={charts.usage} />
          <ChartCard model={charts.response} />
        </>
      )}
      <div className={classes.pair}>
        <ChartCard model={charts.grips} />
        <ChartCard model={charts.faults} empty={i18n.t.charts.noFaults} />
      </div>
      <Devices prostheses={report.prostheses} visits={report.serviceVisits} />
    </>
  );
}

/** Says that there is nothing, and where there is something. */
function EmptyReport({ report, name }: ReportViewProps) {
  const { t } = useI18n();
  const watermark = report.freshness?.telemetryWatermark;
  const { period } = report;
  const span = period && { start: period.startDay, end: period.endDay };
  const pending = watermark && span && !isLoaded(watermark, span, today());
  const known = pending ? t.report.emptyPending : t.report.emptyText;
  const latest = writeChoice({ name: name === "range" ? "month" : name });
  return (
    <>
      <Freshness freshness={report.freshness} />
      <Notice
        level={2}
        title={pending ? t.report.emptyPendingTitle : t.report.emptyTitle}
        text={watermark ? known : t.report.emptyEver}
      >
        <Button component={Link} to={{ search: latest.toString() }} variant="light">
          {t.report.toLatest}
        </Button>
      </Notice>
      <Devices prostheses={report.prostheses} visits={report.serviceVisits} />
    </>
  );
}
