// The headline numbers as tiles.

import { Paper, Title, VisuallyHidden } from "@mantine/core";
import { ArrowDown, ArrowUp, Minus } from "../../components/icons";
import type { Period } from "../../gen/bionicpro/reports/v1/report_pb.js";
import { useI18n } from "../../i18n/I18n";
import { type Change, type Comparison, type Headline, headlines } from "./comparison";
import { type PeriodName, periodLabel } from "./periods/period";
import classes from "./Report.module.css";

interface HeadlinesProps {
  comparison: Comparison;
  previousPeriod: Period | undefined;
  name: PeriodName;
}

export function Headlines({ comparison, previousPeriod, name }: HeadlinesProps) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const before =
    previousPeriod &&
    periodLabel(name, { start: previousPeriod.startDay, end: previousPeriod.endDay }, format);
  const comparedWith = comparison.days > 1 ? t.totals.comparedPerDay : t.totals.comparedWith;
  return (
    <section aria-labelledby="headlines">
      <div className={classes.sectionHeading}>
        <Title order={2} size="h4" id="headlines">
          {t.totals.heading}
        </Title>
        <p>
          {comparison.inProgress && `${t.totals.inProgress} `}
          {before && comparison.previous ? comparedWith(before) : t.totals.nothingToCompare}
          {comparison.previous && comparison.previousInProgress && ` ${t.totals.previousLacks}`}
        </p>
      </div>
      <dl className={classes.tiles}>
        {headlines(comparison, i18n).map((headline) => (
          <Tile key={headline.id} headline={headline} />
        ))}
      </dl>
    </section>
  );
}

function Tile({ headline }: { headline: Headline }) {
  return (
    <Paper className={classes.tile} data-headline={headline.id}>
      <dt>{headline.label}</dt>
      <dd className={classes.value}>{headline.value}</dd>
      {headline.note && <dd className={classes.note}>{headline.note}</dd>}
      {headline.change && <ChangeLine change={headline.change} />}
    </Paper>
  );
}

const arrows = { up: ArrowUp, down: ArrowDown, none: Minus };

/** Says by words, arrow and colour what has changed. */
function ChangeLine({ change }: { change: Change }) {
  const { t } = useI18n();
  const Arrow = arrows[change.arrow];
  return (
    <dd className={classes.change} data-tone={change.tone}>
      <Arrow size={14} />
      {change.text}
      {change.tone !== "neutral" && (
        <VisuallyHidden>{` (${change.tone === "better" ? t.totals.better : t.totals.worse})`}</VisuallyHidden>
      )}
    </dd>
  );
}
