// Which page an address shows, and to whom.

import { Button, VisuallyHidden } from "@mantine/core";
import { type ComponentType, type ReactNode, useEffect } from "react";
import { Link, Navigate, Route, Routes, useLocation } from "react-router";
import { FailureNotice } from "../components/FailureNotice";
import { Notice } from "../components/Notice";
import { ExportsPage } from "../features/exports/ExportsPage";
import { ReportPage } from "../features/report/ReportPage";
import { isPatient } from "../features/session/patient";
import { useSession } from "../features/session/Session";
import { SignedOutPage } from "../features/session/SignedOutPage";
import { SignInFailedPage } from "../features/session/SignInFailedPage";
import { StaffPage } from "../features/session/StaffPage";
import { EXPORTS, HOME } from "../features/session/sign-in";
import { useI18n } from "../i18n/I18n";

export function Pages() {
  useHeadingFocus();
  return (
    <Routes>
      <Route
        path="/"
        element={
          <SignedIn>
            <Navigate to={HOME} replace />
          </SignedIn>
        }
      />
      <Route
        path={HOME}
        element={
          <SignedIn>
            <ForPatient page={ReportPage} />
          </SignedIn>
        }
      />
      <Route
        path={EXPORTS}
        element={
          <SignedIn>
            <ForPatient page={ExportsPage} />
          </SignedIn>
        }
      />
      <Route path="/sign-in/failed" element={<SignInFailedPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}

/** Shows its page to somebody signed in, and the way in to everybody else. */
function SignedIn({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const session = useSession();
  switch (session.state) {
    case "loading":
      return <VisuallyHidden role="status">{t.app.loading}</VisuallyHidden>;
    case "failed":
      return <FailureNotice {...session} />;
    case "signed-out":
      return <SignedOutPage why={session.why} />;
    case "signed-in":
      return children;
  }
}

/** The page of whoever has reports; staff sign in here too. */
function ForPatient({ page: Page }: { page: ComponentType }) {
  const session = useSession();
  if (session.state !== "signed-in") return null;
  const { me } = session;
  // Another person gets another page: none of the last one's numbers stay on it.
  return isPatient(me) ? <Page key={me.subject} /> : <StaffPage me={me} />;
}

function NotFoundPage() {
  const { t } = useI18n();
  return (
    <>
      <title>{`${t.app.notFoundTitle} · ${t.app.name}`}</title>
      <Notice title={t.app.notFoundTitle} text={t.app.notFoundText}>
        <Button component={Link} to="/">
          {t.app.home}
        </Button>
      </Notice>
    </>
  );
}

/** Moves the focus to the heading of a page that was opened from within the app. */
function useHeadingFocus() {
  const { pathname, key } = useLocation();
  const first = key === "default";
  // biome-ignore lint/correctness/useExhaustiveDependencies: another path is another page; another query is not
  useEffect(() => {
    if (!first) document.querySelector<HTMLElement>("[data-page-heading]")?.focus();
  }, [pathname]);
}
