// The periods that have readings, newest first, as links.

import { useInfiniteQuery } from "@connectrpc/connect-query";
import { Button, Skeleton, Title } from "@mantine/core";
import { Link } from "react-router";
import type { ReportSummary } from "../../../gen/bionicpro/reports/v1/reports_service_pb.js";
import { ReportsService } from "../../../gen/bionicpro/reports/v1/reports_service_pb.js";
import { useI18n } from "../../../i18n/I18n";
import classes from "./Periods.module.css";
import { kindOf, type PeriodName, periodLabel, type Span, writeChoice } from "./period";

const PAGE_SIZE = 12;

interface PastPeriodsProps {
  name: PeriodName;
  /** The period that is shown. */
  shown: Span | undefined;
}

export function PastPeriods({ name, shown }: PastPeriodsProps) {
  const { t } = useI18n();
  // There is no list of ranges: months stand beside them.
  const listed = name === "range" ? "month" : name;
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage, isPending, isError } =
    useInfiniteQuery(
      ReportsService.method.listReports,
      { kind: kindOf(listed), pageSize: PAGE_SIZE, pageToken: "" },
      {
        pageParamKey: "pageToken",
        getNextPageParam: (page) => page.nextPageToken || undefined,
      },
    );
  const summaries = data?.pages.flatMap((page) => page.reports) ?? [];
  const longestMs = Math.max(1, ...summaries.map(({ totals }) => Number(totals?.useMs ?? 0n)));
  // The report itself says what is wrong.
  if (isError) return null;
  return (
    <nav aria-labelledby="past-periods" className={classes.past}>
      <Title order={2} size="h5" id="past-periods">
        {t.report.past[listed]}
      </Title>
      {isPending && <Skeleton height={240} />}
      {!isPending && summaries.length === 0 && <p>{t.report.pastEmpty}</p>}
      <ul>
        {summaries.map((summary) => (
          <PastPeriod
            key={summary.period?.startDay}
            summary={summary}
            name={listed}
            longestMs={longestMs}
            current={name === listed && summary.period?.startDay === shown?.start}
          />
        ))}
      </ul>
      {hasNextPage && (
        <Button
          variant="subtle"
          size="sm"
          loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t.report.pastMore}
        </Button>
      )}
    </nav>
  );
}

interface PastPeriodProps {
  summary: ReportSummary;
  name: Exclude<PeriodName, "range">;
  longestMs: number;
  current: boolean;
}

function PastPeriod({ summary, name, longestMs, current }: PastPeriodProps) {
  const { format } = useI18n();
  const { period, totals } = summary;
  if (!period || !totals) return null;
  const useMs = Number(totals.useMs);
  const label = periodLabel(name, { start: period.startDay, end: period.endDay }, format);
  return (
    <li>
      <Link
        to={{ search: writeChoice({ name, day: period.startDay }).toString() }}
        aria-current={current ? "page" : undefined}
      >
        <span>{label}</span>
        <span className={classes.pastUse}>{format.duration(useMs)}</span>
        <meter aria-hidden="true" min={0} max={longestMs} value={useMs} />
      </Link>
    </li>
  );
}
