// The report of the period in the page's address.

import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useCallback } from "react";
import { useSearchParams } from "react-router";
import { FailureNotice } from "../../components/FailureNotice";
import type { Report } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { ReportsService } from "../../gen/bionicpro/reports/v1/reports_service_pb.js";
import { useI18n } from "../../i18n/I18n";
import { useFailure } from "../../rpc/use-failure";
import { ExportButton } from "../exports/ExportButton";
import { choiceOf } from "../exports/exports";
import { PastPeriods } from "./periods/PastPeriods";
import { PeriodBar } from "./periods/PeriodBar";
import {
  type Choice,
  contains,
  periodLabel,
  readChoice,
  type Span,
  spanAround,
  today,
  toSelector,
  writeChoice,
} from "./periods/period";
import classes from "./Report.module.css";
import { ReportSkeleton } from "./ReportSkeleton";
import { ReportView } from "./ReportView";

/** How often a report is asked for again while devices may still add to it. */
const AGAIN_MS = 30_000;

/** The days that a choice means, as far as that is known without an answer. */
function spanOf(choice: Choice, report: Report | undefined): Span | undefined {
  if (choice.day && choice.endDay) return { start: choice.day, end: choice.endDay };
  if (choice.day && choice.name !== "range") return spanAround(choice.name, choice.day);
  const period = report?.period;
  return period && { start: period.startDay, end: period.endDay };
}

export function ReportPage() {
  const { t, format } = useI18n();
  const [params, setParams] = useSearchParams();
  const choice = readChoice(params);
  const query = useQuery(
    ReportsService.method.getReport,
    { period: toSelector(choice) },
    {
      placeholderData: keepPreviousData,
      refetchInterval: ({ state }) => {
        const span = spanOf(choice, state.data?.report);
        return span && contains(span, today()) && AGAIN_MS;
      },
    },
  );
  const { refetch, isPlaceholderData, isFetching } = query;
  const report = query.data?.report;
  const span = spanOf(choice, isPlaceholderData ? undefined : report);
  const retry = useCallback(() => void refetch(), [refetch]);
  const choose = (next: Choice) => setParams(writeChoice(next));
  const label = span && periodLabel(choice.name, span, format);
  const hasReadings = !isPlaceholderData && (report?.totals?.readings ?? 0n) > 0n;
  const failure = useFailure(query);

  return (
    <>
      <title>{`${label ?? t.report.title} · ${t.app.name}`}</title>
      <div className={classes.page}>
        <aside className={classes.aside}>
          <PastPeriods name={choice.name} shown={span} />
        </aside>
        <div className={classes.main}>
          <header className={classes.heading}>
            <div className={classes.title}>
              <h1 tabIndex={-1} data-page-heading>
                {report?.customer ? t.report.of(report.customer.fullName) : t.report.title}
              </h1>
              <ExportButton
                choice={hasReadings && span ? choiceOf(choice.name, span) : undefined}
                label={label}
              />
            </div>
            <PeriodBar choice={choice} span={span} onChoose={choose} />
          </header>
          <p aria-live="polite" className={classes.announcement}>
            {label && report && !isPlaceholderData ? t.report.loaded(label) : ""}
          </p>
          {report && (
            <div aria-busy={isPlaceholderData} className={classes.report}>
              <ReportView report={report} name={choice.name} />
            </div>
          )}
          {!report && failure && (
            <FailureNotice level={2} failure={failure} onRetry={retry} retrying={isFetching} />
          )}
          {!report && !failure && <ReportSkeleton />}
        </div>
      </div>
    </>
  );
}
