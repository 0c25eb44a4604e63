// Tells who listens to the page what has become of the exports they wait for.

import { VisuallyHidden } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { type Export, ExportState } from "../../gen/bionicpro/reports/v1/export_pb.js";
import type { Dictionary } from "../../i18n/en";
import { useI18n } from "../../i18n/I18n";
import { failureOf, formatNameOf, labelOf, newsOf, type Seen, seenOf } from "./exports";

const sentences: Record<ExportState, keyof Dictionary["exports"]["news"] | undefined> = {
  [ExportState.UNSPECIFIED]: undefined,
  [ExportState.PENDING]: "pending",
  [ExportState.READY]: "ready",
  [ExportState.FAILED]: "failed",
};

export function News({ exports, madeId }: { exports: Export[]; madeId: string | undefined }) {
  const { t, format } = useI18n();
  const seen = useRef<Seen>(new Map());
  const [news, setNews] = useState<Export[]>([]);
  useEffect(() => {
    const found = newsOf(seen.current, exports, madeId);
    seen.current = seenOf(exports);
    if (found.length > 0) setNews(found);
  }, [exports, madeId]);
  const sentence = (each: Export) => {
    const lost = failureOf(each).reason === "EXPORT_FILE_LOST";
    const name = lost ? "lost" : sentences[each.state];
    return (
      name && t.exports.news[name](labelOf(each, format), t.exports.formats[formatNameOf(each)])
    );
  };
  return (
    <VisuallyHidden role="status" data-news>
      {news.map(sentence).join(" ")}
    </VisuallyHidden>
  );
}
