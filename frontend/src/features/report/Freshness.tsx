// Up to when the report's sources are complete.

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Alert } from "@mantine/core";
import { Clock, Warning } from "../../components/icons";
import type { Freshness as FreshnessMessage } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { useI18n } from "../../i18n/I18n";
import { isStale } from "./freshness";
import classes from "./Report.module.css";

export function Freshness({ freshness }: { freshness: FreshnessMessage | undefined }) {
  const { t, format } = useI18n();
  const text = t.freshness;
  const telemetry = freshness?.telemetryWatermark;
  const crm = freshness?.crmWatermark;
  const line = [
    telemetry ? text.telemetry(format.moment(timestampDate(telemetry))) : text.noTelemetry,
    crm ? text.crm(format.moment(timestampDate(crm))) : text.noCrm,
  ].join(" · ");
  return (
    <section aria-label={text.label} data-freshness>
      <p className={classes.freshness}>
        <Clock size={16} />
        {line}
      </p>
      {isStale(freshness, new Date()) && (
        <Alert icon={<Warning />} color="yellow" className={classes.stale}>
          {text.stale}
        </Alert>
      )}
    </section>
  );
}
