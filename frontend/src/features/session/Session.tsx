// Who is signed in. GetMe decides: the session itself is a cookie that no
// script can read.

import { useQuery } from "@connectrpc/connect-query";
import { matchQuery, useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  use,
  useCallback,
  useEffect,
  useMemo,
  useState,
} from "react";
import {
  AccountService,
  type GetMeResponse,
} from "../../gen/bionicpro/auth/v1/account_service_pb.js";
import type { Failure } from "../../rpc/failure";
import { meKey } from "../../rpc/query-client";
import { useFailure } from "../../rpc/use-failure";
import { useSessionChannel } from "./channel";
import { type SignedOutWhere, signOut } from "./sign-in";

export type Session =
  | { state: "loading" }
  | { state: "failed"; failure: Failure; onRetry: () => void; retrying: boolean }
  /**
   * Nobody is: never was, the session ended by itself, or the person left. Who
   * left only here is still known to the identity provider.
   */
  | { state: "signed-out"; why: "new" | "expired" | "left" | "left-here" }
  | { state: "signed-in"; me: GetMeResponse; signOut: () => Promise<void> };

const SessionContext = createContext<Session>({ state: "loading" });

export function SessionProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const [left, setLeft] = useState<SignedOutWhere>();
  const query = useQuery(
    AccountService.method.getMe,
    {},
    {
      enabled: !left,
      refetchOnWindowFocus: "always",
    },
  );
  const { data: me, refetch, isFetching } = query;
  const failure = useFailure(query);
  const onRetry = useCallback(() => void refetch(), [refetch]);
  const subject = me?.subject;

  const leave = useCallback(
    (where: SignedOutWhere) => {
      setLeft(where);
      queryClient.clear();
    },
    [queryClient],
  );
  const channel = useSessionChannel(
    useCallback(
      (event) => {
        if (event === "signed-out") return leave("everywhere");
        if (event === "signed-out-here") return leave("here");
        setLeft(undefined);
        void queryClient.invalidateQueries({ queryKey: meKey });
      },
      [leave, queryClient],
    ),
  );
  useEffect(() => {
    if (subject === undefined) return;
    channel.tell("signed-in");
    // Nothing of the person before stays, should another one have signed in.
    return () =>
      queryClient.removeQueries({ predicate: (each) => !matchQuery({ queryKey: meKey }, each) });
  }, [subject, channel, queryClient]);

  const session = useMemo<Session>(() => {
    if (left) return { state: "signed-out", why: left === "here" ? "left-here" : "left" };
    if (failure?.signedOut) return { state: "signed-out", why: me ? "expired" : "new" };
    if (me) {
      return {
        state: "signed-in",
        me,
        signOut: async () => {
          const where = await signOut();
          channel.tell(where === "here" ? "signed-out-here" : "signed-out");
          leave(where);
        },
      };
    }
    if (failure) return { state: "failed", failure, onRetry, retrying: isFetching };
    return { state: "loading" };
  }, [left, failure, me, channel, leave, onRetry, isFetching]);

  return <SessionContext value={session}>{children}</SessionContext>;
}

export function useSession(): Session {
  return use(SessionContext);
}
