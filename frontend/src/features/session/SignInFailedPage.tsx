// Where the gateway sends the browser when a sign-in did not work.

import { useSearchParams } from "react-router";
import { Notice } from "../../components/Notice";
import { useI18n } from "../../i18n/I18n";
import type { ReasonName } from "../../rpc/failure";
import { SignInButton } from "./SignedOutPage";

/** What a reason looks like; anything else in the address is not repeated on the page. */
const REASON = /^[A-Z][A-Z_]{0,62}$/;

export function SignInFailedPage() {
  const { t } = useI18n();
  const [params] = useSearchParams();
  const reason = params.get("reason") ?? "";
  const { title, text } = t.signInFailed.known[reason as ReasonName] ?? t.signInFailed.other;
  return (
    <>
      <title>{`${title} · ${t.app.name}`}</title>
      <Notice
        urgent
        title={title}
        text={text}
        detail={REASON.test(reason) ? t.signInFailed.code(reason) : undefined}
      >
        <SignInButton />
      </Notice>
    </>
  );
}
