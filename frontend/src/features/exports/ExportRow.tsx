// One export: what it is, how fresh, and what can be done with it now.

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Button, Loader, Paper, VisuallyHidden } from "@mantine/core";
import { type MouseEvent, useEffect, useRef } from "react";
import { Link } from "react-router";
import { explain, useRetry } from "../../components/FailureNotice";
import { Clock, Download, Warning } from "../../components/icons";
import { type Export, ExportState } from "../../gen/bionicpro/reports/v1/export_pb.js";
import { useI18n } from "../../i18n/I18n";
import type { ReasonName } from "../../rpc/failure";
import { isComplete } from "../report/freshness";
import { writeChoice } from "../report/periods/period";
import { HOME } from "../session/sign-in";
import { useDownload, useExportRequest, useWaiting } from "./calls";
import classes from "./Exports.module.css";
import { choiceOfPeriod, failureOf, formatNameOf, isLost, labelOf, localeOf } from "./exports";

interface ExportRowProps {
  item: Export;
  /** Whether the person has just asked for it. */
  isNew: boolean;
  onMade: (made: Export) => void;
}

export function ExportRow({ item, isNew, onMade }: ExportRowProps) {
  const { t, format } = useI18n();
  const { exportId, period, state, createdAt } = item;
  const name = formatNameOf(item);
  const label = labelOf(item, format);
  const ready = state === ExportState.READY;
  const fileLocale = localeOf(item);
  const row = useRef<HTMLLIElement>(null);
  const before = useRef(state);
  // One that was there before may stand far below.
  useEffect(() => {
    if (isNew) row.current?.scrollIntoView({ block: "nearest" });
  }, [isNew]);
  // The link that was followed is gone with its file, and so would the focus be.
  useEffect(() => {
    if (isLost(before.current, state)) row.current?.focus();
    before.current = state;
  }, [state]);
  return (
    <Paper
      component="li"
      ref={row}
      tabIndex={-1}
      className={classes.row}
      data-export={exportId}
      data-state={ExportState[state].toLowerCase()}
      data-new={isNew || undefined}
    >
      <FileSign name={name} />
      <div className={classes.what}>
        <h2>
          {period ? (
            <Link to={`${HOME}?${writeChoice(choiceOfPeriod(period))}`}>{label}</Link>
          ) : (
            label
          )}
        </h2>
        <p>
          {t.exports.formats[name]}
          {fileLocale && `, ${t.exports.languages[fileLocale]}`}
        </p>
      </div>
      <div className={classes.details}>
        {createdAt && <p>{t.exports.asked(format.moment(timestampDate(createdAt)))}</p>}
        <Condition item={item} />
      </div>
      <div className={classes.action}>
        {state === ExportState.PENDING && <Preparing exportId={exportId} />}
        {ready && <DownloadLink item={item} label={label} />}
        {state === ExportState.FAILED && <TryAgain item={item} label={label} onMade={onMade} />}
      </div>
    </Paper>
  );
}

/** A sheet of paper with the ending of the file's name. Decoration only. */
function FileSign({ name }: { name: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 44 52" width="44" height="52" className={classes.sign}>
      <path d="M6 1.5h22L39 12v34a4.5 4.5 0 0 1-4.5 4.5h-29A4.5 4.5 0 0 1 1.5 46V6A4.5 4.5 0 0 1 6 1.5z" />
      <path d="M28 1.5V12h11" />
      <text x="20" y="36" textAnchor="middle">
        {name.toUpperCase()}
      </text>
    </svg>
  );
}

/** How fresh the file is, or why there is none. */
function Condition({ item }: { item: Export }) {
  const { t, format } = useI18n();
  const { state, period, freshness } = item;
  if (state === ExportState.PENDING) return <p>{t.exports.preparingHint}</p>;
  if (state === ExportState.FAILED) {
    const failure = failureOf(item);
    const known = t.failures.known[failure.reason as ReasonName];
    return (
      <p className={classes.failed}>
        <Warning size={16} />
        <span>
          <strong>{explain(failure, t).title}.</strong> {known?.text ?? t.exports.failedHint}
        </span>
      </p>
    );
  }
  const watermark = freshness?.telemetryWatermark;
  const moment = watermark && format.moment(timestampDate(watermark));
  const complete = period && isComplete(watermark, period.endDay);
  if (!moment) return <p>{t.freshness.noTelemetry}</p>;
  return (
    <p className={complete ? undefined : classes.partial}>
      <Clock size={16} />
      <span>{complete ? t.freshness.telemetry(moment) : t.exports.partial(moment)}</span>
    </p>
  );
}

function Preparing({ exportId }: { exportId: string }) {
  const { t } = useI18n();
  useWaiting(exportId);
  return (
    <p className={classes.preparing}>
      <Loader size={18} aria-hidden="true" />
      {t.exports.preparing}
    </p>
  );
}

/** A click that opens a tab or a window is the browser's own. */
function isPlain({ button, metaKey, ctrlKey, shiftKey, altKey }: MouseEvent): boolean {
  return button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey;
}

function DownloadLink({ item, label }: { item: Export; label: string }) {
  const { t, format } = useI18n();
  const { download, isPending, failure } = useDownload(item.exportId);
  const click = (event: MouseEvent) => {
    if (!isPlain(event)) return;
    // The link on the page may have ended: the click follows one that is made for it.
    event.preventDefault();
    if (!isPending) download();
  };
  return (
    <>
      <Button
        component="a"
        href={item.downloadPath}
        download={item.fileName}
        variant="light"
        fullWidth
        px="xs"
        leftSection={<Download />}
        loading={isPending}
        onClick={click}
      >
        {t.exports.download} · {format.bytes(Number(item.sizeBytes))}
        <VisuallyHidden>{`, ${label}, ${t.exports.formats[formatNameOf(item)]}`}</VisuallyHidden>
      </Button>
      {failure && (
        <p role="alert" className={classes.failed}>
          {explain(failure, t).title}. {t.exports.downloadFailed}
        </p>
      )}
    </>
  );
}

function TryAgain({ item, label, onMade }: Omit<ExportRowProps, "isNew"> & { label: string }) {
  const { t, locale } = useI18n();
  const { ask, isPending, failure } = useExportRequest(onMade);
  const { period } = item;
  const again = () => {
    if (!period) return;
    ask({
      choice: choiceOfPeriod(period),
      format: formatNameOf(item),
      locale: localeOf(item) ?? locale,
    });
  };
  useRetry(failure, again, isPending);
  return (
    <>
      <Button variant="default" fullWidth loading={isPending} onClick={again}>
        {t.exports.again}
        <VisuallyHidden>{`, ${label}, ${t.exports.formats[formatNameOf(item)]}`}</VisuallyHidden>
      </Button>
      {failure && (
        <p role="alert" className={classes.failed}>
          {explain(failure, t).title}. {explain(failure, t).text}
        </p>
      )}
    </>
  );
}
