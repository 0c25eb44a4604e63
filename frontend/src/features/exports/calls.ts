// The calls about one export: asking for it, waiting for it, fetching the file.

import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useEffect, useMemo, useRef } from "react";
import { type Export, ExportState } from "../../gen/bionicpro/reports/v1/export_pb.js";
import { ReportsService } from "../../gen/bionicpro/reports/v1/reports_service_pb.js";
import type { Locale } from "../../i18n/locale";
import { toFailure } from "../../rpc/failure";
import { type Choice, toSelector } from "../report/periods/period";
import { type FormatName, pollDelayMs, toFormat, toLanguage } from "./exports";
import { useRemember } from "./list";

export interface Wish {
  choice: Choice;
  format: FormatName;
  locale: Locale;
}

/** One request_id for one wish: the same over all tries, another one for another wish. */
export function createIntents(newId: () => string = () => crypto.randomUUID()) {
  let intent: { wish: string; requestId: string } | undefined;
  return {
    requestIdOf(wish: Wish): string {
      const text = JSON.stringify(wish);
      if (intent?.wish !== text) intent = { wish: text, requestId: newId() };
      return intent.requestId;
    },
    /** The wish is granted: the same one again is a new one. */
    done() {
      intent = undefined;
    },
  };
}

function useFailureOf(error: Error | null) {
  return useMemo(() => (error ? toFailure(error) : undefined), [error]);
}

/** Asks for an export. `onMade` hears of it only while the component is there. */
export function useExportRequest(onMade: (made: Export) => void) {
  const intents = useRef<ReturnType<typeof createIntents>>(undefined);
  intents.current ??= createIntents();
  const remember = useRemember();
  const { mutate, isPending, error, reset } = useMutation(ReportsService.method.exportReport, {
    onSuccess: (answer) => remember(answer.export),
  });
  const ask = (wish: Wish) => {
    const requestId = intents.current?.requestIdOf(wish) ?? "";
    mutate(
      {
        requestId,
        period: toSelector(wish.choice),
        format: toFormat(wish.format),
        language: toLanguage(wish.locale),
      },
      {
        onSuccess: (answer) => {
          intents.current?.done();
          if (answer.export) onMade(answer.export);
        },
      },
    );
  };
  return { ask, reset, isPending, failure: useFailureOf(error) };
}

/**
 * Asks again and again, ever less often, what has become of a pending export,
 * while the tab can be seen. What it learns goes into the list.
 */
export function useWaiting(exportId: string) {
  const remember = useRemember();
  const { data } = useQuery(
    ReportsService.method.getExport,
    { exportId },
    {
      staleTime: 0,
      // The next wait, for this or another export, begins with short delays again.
      gcTime: 0,
      retry: false,
      refetchInterval: ({ state }) => pollDelayMs(state.dataUpdateCount + state.errorUpdateCount),
    },
  );
  const newest = data?.export;
  useEffect(() => {
    if (newest && newest.state !== ExportState.PENDING) remember(newest);
  }, [newest, remember]);
}

/** Lets the browser download the file, with a link that was made for this click. */
export function useDownload(exportId: string) {
  const remember = useRemember();
  const { mutate, isPending, error } = useMutation(ReportsService.method.getExport, {
    onSuccess: ({ export: newest }) => {
      remember(newest);
      if (newest?.downloadPath) startDownload(newest.downloadPath, newest.fileName);
    },
  });
  return { download: () => mutate({ exportId }), isPending, failure: useFailureOf(error) };
}

function startDownload(path: string, fileName: string) {
  const link = document.createElement("a");
  link.href = path;
  link.download = fileName;
  link.click();
}
