// The person's exports as a list, page by page, and its copy in the cache,
// which a newer answer about one of them changes in place.

import { createConnectQueryKey, useInfiniteQuery } from "@connectrpc/connect-query";
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Export } from "../../gen/bionicpro/reports/v1/export_pb.js";
import {
  type ListExportsResponse,
  ReportsService,
} from "../../gen/bionicpro/reports/v1/reports_service_pb.js";
import { linkRefreshDelayMs } from "./exports";

type Pages = InfiniteData<ListExportsResponse>;

const PAGE_SIZE = 20;
/** A list that is looked at again after this long is asked for again. */
const FRESH_MS = 15_000;

const listKey = createConnectQueryKey({
  schema: ReportsService.method.listExports,
  cardinality: "infinite",
});

/** All exports of the pages, each once: the list may have moved between two pages. */
function exportsOf(pages: Pages | undefined): Export[] {
  const all = pages?.pages.flatMap((page) => page.exports) ?? [];
  const seen = new Set<string>();
  return all.filter(({ exportId }) => !seen.has(exportId) && seen.add(exportId));
}

/** The pages with the export in its newest state: in its place, or before all others. */
export function withExport(pages: Pages, newest: Export): Pages {
  const known = exportsOf(pages).some(({ exportId }) => exportId === newest.exportId);
  return {
    ...pages,
    pages: pages.pages.map((page, index) => {
      if (!known) return index === 0 ? { ...page, exports: [newest, ...page.exports] } : page;
      const exports = page.exports.map((each) =>
        each.exportId === newest.exportId ? newest : each,
      );
      return { ...page, exports };
    }),
  };
}

function remember(queryClient: QueryClient, newest: Export) {
  queryClient.setQueriesData<Pages>({ queryKey: listKey }, (pages) => {
    return pages && withExport(pages, newest);
  });
}

/** Returns what puts a newer answer about an export into the list. */
export function useRemember(): (newest: Export | undefined) => void {
  const queryClient = useQueryClient();
  return useCallback((newest) => newest && remember(queryClient, newest), [queryClient]);
}

export function useExportList() {
  const query = useInfiniteQuery(
    ReportsService.method.listExports,
    { pageSize: PAGE_SIZE, pageToken: "" },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (page) => page.nextPageToken || undefined,
      staleTime: FRESH_MS,
      // Only while the page can be seen: links that are copied from it still work.
      refetchInterval: ({ state }) =>
        linkRefreshDelayMs(exportsOf(state.data), Date.now()) ?? false,
    },
  );
  const exports = useMemo(() => exportsOf(query.data), [query.data]);
  return { query, exports };
}
