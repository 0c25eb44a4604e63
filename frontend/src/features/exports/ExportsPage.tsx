// The reports that the person has made into files, newest first.

import { Alert, Button, Paper, Skeleton, VisuallyHidden } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { FailureNotice } from "../../components/FailureNotice";
import { Warning } from "../../components/icons";
import { Notice } from "../../components/Notice";
import type { Export } from "../../gen/bionicpro/reports/v1/export_pb.js";
import { useI18n } from "../../i18n/I18n";
import { useFailure } from "../../rpc/use-failure";
import { HOME } from "../session/sign-in";
import { ExportRow } from "./ExportRow";
import classes from "./Exports.module.css";
import { useExportList } from "./list";
import { News } from "./News";

/** The export that the person has just asked for, as the page before tells it. */
function madeBefore(state: unknown): string | undefined {
  if (typeof state !== "object" || state === null || !("made" in state)) return undefined;
  return typeof state.made === "string" ? state.made : undefined;
}

export function ExportsPage() {
  const { t, format } = useI18n();
  const { state } = useLocation();
  const [madeId, setMadeId] = useState(() => madeBefore(state));
  const { query, exports } = useExportList();
  const { refetch, isFetching, isSuccess, isError, isFetchNextPageError, dataUpdatedAt } = query;
  const failure = useFailure(query);
  const retry = useCallback(() => void refetch(), [refetch]);
  const known = query.data !== undefined;

  return (
    <>
      <title>{`${t.exports.title} · ${t.app.name}`}</title>
      <div className={classes.page}>
        <header>
          <h1 tabIndex={-1} data-page-heading>
            {t.exports.title}
          </h1>
          <p className={classes.lead}>{t.exports.lead}</p>
        </header>
        {known && isError && !isFetchNextPageError && (
          <Alert role="alert" color="yellow" icon={<Warning />} className={classes.notice}>
            <div className={classes.stale}>
              {t.exports.stale(format.moment(new Date(dataUpdatedAt)))}
              <Button size="compact-sm" variant="default" loading={isFetching} onClick={retry}>
                {t.app.retry}
              </Button>
            </div>
          </Alert>
        )}
        {!known && failure && (
          <FailureNotice level={2} failure={failure} onRetry={retry} retrying={isFetching} />
        )}
        {!known && !failure && <ExportsSkeleton />}
        {isSuccess && exports.length === 0 && <NoExports />}
        {exports.length > 0 && (
          <ExportList
            exports={exports}
            query={query}
            madeId={madeId}
            onMade={({ exportId }) => setMadeId(exportId)}
          />
        )}
        <News exports={exports} madeId={madeId} />
      </div>
    </>
  );
}

interface ExportListProps extends Pick<ReturnType<typeof useExportList>, "exports" | "query"> {
  madeId: string | undefined;
  onMade: (made: Export) => void;
}

function ExportList({ exports, query, madeId, onMade }: ExportListProps) {
  const { t } = useI18n();
  const list = useRef<HTMLUListElement>(null);
  const shownBefore = useRef<number>(undefined);
  const { hasNextPage, fetchNextPage, isFetchingNextPage, isFetchNextPageError } = query;
  const more = () => {
    shownBefore.current = exports.length;
    void fetchNextPage();
  };
  const count = exports.length;
  // The focus goes on where the list did; the button may be gone.
  useEffect(() => {
    const before = shownBefore.current;
    if (before === undefined || count <= before) return;
    shownBefore.current = undefined;
    const first = list.current?.children[before];
    if (first instanceof HTMLElement) first.focus();
  }, [count]);
  return (
    <>
      <ul ref={list} className={classes.list}>
        {exports.map((each) => (
          <ExportRow
            key={each.exportId}
            item={each}
            isNew={each.exportId === madeId}
            onMade={onMade}
          />
        ))}
      </ul>
      {hasNextPage && (
        <div className={classes.more}>
          {isFetchNextPageError && !isFetchingNextPage && (
            <p role="alert">{t.exports.moreFailed}</p>
          )}
          <Button variant="default" loading={isFetchingNextPage} onClick={more}>
            {t.exports.more}
          </Button>
        </div>
      )}
    </>
  );
}

function NoExports() {
  const { t } = useI18n();
  return (
    <Notice level={2} title={t.exports.emptyTitle} text={t.exports.emptyText}>
      <Button component={Link} to={HOME}>
        {t.app.home}
      </Button>
    </Notice>
  );
}

const rows = ["a", "b", "c"];

/** The shape of the list while it loads, so that nothing jumps when it comes. */
function ExportsSkeleton() {
  const { t } = useI18n();
  return (
    <div className={classes.list} aria-busy="true">
      <VisuallyHidden role="status">{t.app.loading}</VisuallyHidden>
      {rows.map((row) => (
        <Paper key={row} className={classes.row}>
          <Skeleton height={52} width={44} />
          <div className={classes.what}>
            <Skeleton height={18} maw={180} />
            <Skeleton height={14} maw={240} mt={8} />
          </div>
          <div className={classes.details}>
            <Skeleton height={14} maw={300} />
            <Skeleton height={14} maw={340} mt={8} />
          </div>
          <Skeleton height={36} className={classes.action} />
        </Paper>
      ))}
    </div>
  );
}
