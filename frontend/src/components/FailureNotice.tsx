// Says why a call failed, in words for its reason, and tries again: at once
// when asked, and by itself where waiting can help.

import { Code } from "@connectrpc/connect";
import { Button } from "@mantine/core";
import { useEffect, useEffectEvent } from "react";
import type { Dictionary } from "../i18n/en";
import { useI18n } from "../i18n/I18n";
import type { Failure, ReasonName } from "../rpc/failure";
import { Notice } from "./Notice";

const RETRY_AFTER_MS = 10_000;

/** The words for a failure: by its reason, else by what is known of it. */
export function explain(failure: Failure, t: Dictionary): { title: string; text: string } {
  const known = failure.reason && t.failures.known[failure.reason as ReasonName];
  if (known) return known;
  return failure.reason === undefined && failure.code === Code.Unavailable
    ? t.failures.unreachable
    : t.failures.other;
}

/** Tries again by itself where waiting can help: when RetryInfo says, else after a while. */
export function useRetry(failure: Failure | undefined, onRetry: () => void, retrying: boolean) {
  const again = useEffectEvent(onRetry);
  useEffect(() => {
    if (!failure?.retryable || retrying) return;
    const timer = setTimeout(again, failure.retryAfterMs ?? RETRY_AFTER_MS);
    return () => clearTimeout(timer);
  }, [failure, retrying]);
}

interface FailureNoticeProps {
  level?: 1 | 2;
  failure: Failure;
  onRetry: () => void;
  retrying: boolean;
}

export function FailureNotice({ failure, onRetry, retrying, level = 1 }: FailureNoticeProps) {
  const { t } = useI18n();
  useRetry(failure, onRetry, retrying);
  const { title, text } = explain(failure, t);
  return (
    <Notice
      urgent
      level={level}
      title={title}
      text={text}
      detail={t.signInFailed.code(failure.reason ?? Code[failure.code])}
    >
      <Button onClick={onRetry} loading={retrying}>
        {t.app.retry}
      </Button>
    </Notice>
  );
}
