// Where the gateway sends the browser when a sign-in did not work.

import { Button } from "@mantine/core";
import { Link, useSearchParams } from "react-router";
import { Notice } from "../../components/Notice";
import { useI18n } from "../../i18n/I18n";
import type { ReasonName } from "../../rpc/failure";
import { useSession } from "./Session";
import { SignInButton } from "./SignedOutPage";
import { HOME } from "./sign-in";

/** What a reason looks like; anything else in the address is not repeated on the page. */
const REASON = /^[A-Z][A-Z_]{0,62}$/;

export function SignInFailedPage() {
  const { t } = useI18n();
  const [params] = useSearchParams();
  const session = useSession();
  const reason = params.get("reason") ?? "";
  // An old callback that was opened again, by somebody who has long been signed in.
  if (reason === "SIGN_IN_ATTEMPT_INVALID" && session.state === "signed-in") {
    return (
      <>
        <title>{`${t.signInFailed.done.title} · ${t.app.name}`}</title>
        <Notice title={t.signInFailed.done.title} text={t.signInFailed.done.text}>
          <Button component={Link} to={HOME}>
            {t.app.home}
          </Button>
        </Notice>
      </>
    );
  }
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
