// The addresses of the gateway's sign-in and sign-out. They are pages and
// redirects, not RPCs: only the gateway sets the session's cookie.

import type { Locale } from "../../i18n/locale";
import { CSRF_HEADER } from "../../rpc/transport";

export const HOME = "/reports";

/** Where the sign-in begins; it comes back to `returnTo`, a path of the app. */
export function signInUrl(returnTo: string, locale: Locale): string {
  return `/auth/sign-in?${new URLSearchParams({ return_to: returnTo, locale })}`;
}

/** Ends the session here and at the identity provider. Throws when it may still be alive. */
export async function signOut(): Promise<void> {
  const response = await fetch("/auth/sign-out", {
    method: "POST",
    headers: { [CSRF_HEADER.name]: CSRF_HEADER.value },
  });
  if (!response.ok) throw new Error(`sign-out answered ${response.status}`);
}
