// The addresses of the gateway's sign-in and sign-out. They are pages and
// redirects, not RPCs: only the gateway sets the session's cookie.

import type { Locale } from "../../i18n/locale";
import { CSRF_HEADER } from "../../rpc/transport";

export const HOME = "/reports";
export const EXPORTS = "/reports/exports";

/** Where the sign-in leads back to from a page: to it, where it is one for signed-in people. */
export function returnTo({ pathname, search }: { pathname: string; search: string }): string {
  return pathname === HOME || pathname === EXPORTS ? `${pathname}${search}` : HOME;
}

/** Where the sign-in begins; it comes back to `returnTo`, a path of the app. */
export function signInUrl(returnTo: string, locale: Locale): string {
  return `/auth/sign-in?${new URLSearchParams({ return_to: returnTo, locale })}`;
}

/** Leads to the identity provider's own page for signing out. */
export const FINISH_SIGN_OUT = "/auth/identity-provider/sign-out";

/** Where a sign-out has ended the session: also at the identity provider, or only here. */
export type SignedOutWhere = "everywhere" | "here";

/** Ends the session here and at the identity provider. Throws when it may still be alive here. */
export async function signOut(): Promise<SignedOutWhere> {
  const response = await fetch("/auth/sign-out", {
    method: "POST",
    headers: { [CSRF_HEADER.name]: CSRF_HEADER.value },
  });
  if (!response.ok) throw new Error(`sign-out answered ${response.status}`);
  return response.status === 204 ? "everywhere" : "here";
}
