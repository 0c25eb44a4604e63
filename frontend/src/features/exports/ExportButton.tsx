// Exports the report that is shown: which form the file has is chosen in a
// small dialog; then the exports' page shows it.

import { Alert, Button, Popover } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { explain, useRetry } from "../../components/FailureNotice";
import { Download, Warning } from "../../components/icons";
import { useI18n } from "../../i18n/I18n";
import type { Choice } from "../report/periods/period";
import { EXPORTS } from "../session/sign-in";
import { useExportRequest } from "./calls";
import classes from "./Exports.module.css";
import { type FormatName, formatNames } from "./exports";

interface ExportButtonProps {
  /** The period; undefined while there is nothing to export. */
  choice: Choice | undefined;
  label: string | undefined;
}

export function ExportButton({ choice, label = "" }: ExportButtonProps) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <Popover
      opened={open && choice !== undefined}
      onChange={setOpen}
      trapFocus
      returnFocus
      position="bottom-end"
      shadow="md"
      width={360}
    >
      <Popover.Target>
        <Button
          variant="light"
          leftSection={<Download />}
          disabled={!choice}
          aria-haspopup="dialog"
          onClick={() => setOpen(!open)}
        >
          {t.exports.export}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.dialog} aria-label={t.exports.dialog(label)}>
        {choice && <ExportForm choice={choice} label={label} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function ExportForm({ choice, label }: { choice: Choice; label: string }) {
  const { t, locale } = useI18n();
  const navigate = useNavigate();
  const [format, setFormat] = useState<FormatName>("csv");
  const request = useExportRequest(({ exportId }) =>
    navigate(EXPORTS, { state: { made: exportId } }),
  );
  const ask = () => request.ask({ choice, format, locale });
  useRetry(request.failure, ask, request.isPending);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask();
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      <fieldset>
        <legend>{t.exports.dialog(label)}</legend>
        {formatNames.map((name) => (
          <label key={name} className={classes.choice}>
            <input
              type="radio"
              name="format"
              value={name}
              checked={format === name}
              data-autofocus={format === name || undefined}
              onChange={() => setFormat(name)}
            />
            <span>
              <strong>{t.exports.formats[name]}</strong>
              <span>{t.exports.formatHints[name]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <p>{t.exports.languageHints[format]}</p>
      {request.failure && (
        <Alert role="alert" color="yellow" icon={<Warning />} className={classes.notice}>
          <strong>{explain(request.failure, t).title}.</strong> {explain(request.failure, t).text}
        </Alert>
      )}
      <Button type="submit" fullWidth loading={request.isPending}>
        {request.failure ? t.app.retry : t.exports.make}
      </Button>
    </form>
  );
}
