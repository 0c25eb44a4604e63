// Catches what no page expected, so that the header stays and says a way on.

import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Notice } from "../components/Notice";
import { useI18n } from "../i18n/I18n";

export class CrashBoundary extends Component<{ children: ReactNode }> {
  override state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  override render() {
    return this.state.crashed ? <CrashNotice /> : this.props.children;
  }
}

function CrashNotice() {
  const { t } = useI18n();
  return (
    <Notice urgent title={t.app.crashTitle} text={t.app.crashText}>
      <Button onClick={() => window.location.reload()}>{t.app.reload}</Button>
    </Notice>
  );
}
