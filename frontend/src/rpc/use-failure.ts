// A query's failure, kept while it is tried again: what a person reads stays
// until there is an answer.

import { useMemo, useState } from "react";
import { type Failure, toFailure } from "./failure";

interface QueryState {
  error: Error | null;
  isPending: boolean;
  errorUpdateCount: number;
}

export function useFailure(query: QueryState): Failure | undefined {
  const [last, setLast] = useState<Error | null>(null);
  if (query.error && query.error !== last) setLast(query.error);
  const retrying = query.isPending && query.errorUpdateCount > 0;
  const error = query.error ?? (retrying ? last : null);
  return useMemo(() => (error ? toFailure(error) : undefined), [error]);
}
