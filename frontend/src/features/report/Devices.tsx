// The prostheses worn in the period, and what the workshop did to them.

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Paper, Title } from "@mantine/core";
import type { Prosthesis, ServiceVisit } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { useI18n } from "../../i18n/I18n";
import classes from "./Report.module.css";

type Moment = Prosthesis["validFrom"];

function useDayOf() {
  const { format } = useI18n();
  return (moment: Moment) =>
    moment ? format.day(timestampDate(moment).toISOString().slice(0, 10), "long") : "–";
}

interface DevicesProps {
  prostheses: Prosthesis[];
  visits: ServiceVisit[];
}

export function Devices({ prostheses, visits }: DevicesProps) {
  const { t } = useI18n();
  const dayOf = useDayOf();
  const model = (id: string) => prostheses.find((each) => each.prosthesisId === id)?.model ?? "";
  if (prostheses.length === 0) return null;
  return (
    <div className={classes.pair}>
      <Paper component="section" className={classes.devices} aria-labelledby="devices">
        <Title order={2} size="h4" id="devices">
          {t.device.heading}
        </Title>
        <ul>
          {prostheses.map((prosthesis) => (
            <Device
              key={`${prosthesis.prosthesisId}${prosthesis.validFrom?.seconds}`}
              prosthesis={prosthesis}
            />
          ))}
        </ul>
      </Paper>
      <Paper component="section" className={classes.devices} aria-labelledby="visits">
        <Title order={2} size="h4" id="visits">
          {t.device.visits}
        </Title>
        {visits.length === 0 && <p>{t.device.noVisits}</p>}
        <ul>
          {visits.map((visit) => (
            <li key={`${visit.prosthesisId}${visit.visitedAt?.seconds}${visit.kind}`}>
              <strong>{t.device.visitKinds[visit.kind] ?? visit.kind}</strong>
              <span>
                {dayOf(visit.visitedAt)} · {model(visit.prosthesisId)}
              </span>
            </li>
          ))}
        </ul>
      </Paper>
    </div>
  );
}

function Device({ prosthesis }: { prosthesis: Prosthesis }) {
  const { t } = useI18n();
  const dayOf = useDayOf();
  const { model, side, serialNumber, firmware, validFrom, validTo } = prosthesis;
  return (
    <li>
      <strong>
        {model}, {t.device.side[side] ?? side}
      </strong>
      <span>
        {validTo
          ? t.device.between(dayOf(validFrom), dayOf(validTo))
          : t.device.since(dayOf(validFrom))}
      </span>
      <span>
        {t.device.serial} {serialNumber} · {t.device.firmware} {firmware}
      </span>
    </li>
  );
}
