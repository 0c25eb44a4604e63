// Tells the app's other tabs in this browser that somebody signed in or out.

import { useEffect, useMemo } from "react";

type SessionEvent = "signed-in" | "signed-out" | "signed-out-here";

/** Returns what tells the other tabs; `onEvent` hears what they tell. */
export function useSessionChannel(onEvent: (event: SessionEvent) => void) {
  const channel = useMemo(() => new BroadcastChannel("bionicpro.session"), []);
  useEffect(() => {
    const listener = (message: MessageEvent<SessionEvent>) => onEvent(message.data);
    channel.addEventListener("message", listener);
    return () => channel.removeEventListener("message", listener);
  }, [channel, onEvent]);
  return useMemo(() => ({ tell: (event: SessionEvent) => channel.postMessage(event) }), [channel]);
}
