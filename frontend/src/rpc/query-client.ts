// How answers are kept and failed calls repeated. Every method that the app
// calls is without side effects or carries a request_id, so that repeating one
// is safe.

import { createConnectQueryKey } from "@connectrpc/connect-query";
import { MutationCache, matchQuery, QueryCache, QueryClient } from "@tanstack/react-query";
import { AccountService } from "../gen/bionicpro/auth/v1/account_service_pb.js";
import { toFailure } from "./failure";

const MAX_RETRIES = 2;
const FIRST_BACKOFF_MS = 500;
const MAX_WAIT_MS = 30_000;
const FRESH_MS = 60_000;

/** The key of GetMe, which decides who is signed in. */
export const meKey = createConnectQueryKey({
  schema: AccountService.method.getMe,
  cardinality: "finite",
});

/** How long to wait before attempt `attempt` + 1: what RetryInfo asks, else twice as long each time. */
export function retryDelayMs(attempt: number, error: unknown): number {
  const wait = toFailure(error).retryAfterMs ?? FIRST_BACKOFF_MS * 2 ** attempt;
  return Math.min(wait, MAX_WAIT_MS);
}

const repeating = {
  retry: (failures: number, error: Error) => failures < MAX_RETRIES && toFailure(error).retryable,
  retryDelay: retryDelayMs,
};

export function createQueryClient(): QueryClient {
  // Any call can be the one that learns that the session is over.
  const checkSession = (error: Error) => {
    if (toFailure(error).signedOut) void client.invalidateQueries({ queryKey: meKey });
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (!matchQuery({ queryKey: meKey }, query)) checkSession(error);
      },
    }),
    mutationCache: new MutationCache({ onError: checkSession }),
    defaultOptions: {
      queries: { staleTime: FRESH_MS, ...repeating },
      mutations: repeating,
    },
  });
  return client;
}
