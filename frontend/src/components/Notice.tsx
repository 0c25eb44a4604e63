// A page or a part of one that says one thing and what to do about it.

import { Paper, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Notice.module.css";

interface NoticeProps {
  /** 1 where the notice is the page, 2 where it stands in one. */
  level?: 1 | 2;
  title: string;
  text: string;
  /** A detail for support, in small. */
  detail?: string | undefined;
  children?: ReactNode;
  /** Announced at once by screen readers. */
  urgent?: boolean;
}

export function Notice({ title, text, detail, children, urgent = false, level = 1 }: NoticeProps) {
  return (
    <Paper className={classes.notice} {...(urgent && { role: "alert" })}>
      <Title
        order={level}
        size="h2"
        {...(level === 1 && { tabIndex: -1, "data-page-heading": true })}
      >
        {title}
      </Title>
      <p>{text}</p>
      {children && <div className={classes.actions}>{children}</div>}
      {detail && <p className={classes.detail}>{detail}</p>}
    </Paper>
  );
}
