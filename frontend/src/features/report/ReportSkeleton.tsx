// The shape of a report while it loads, so that nothing jumps when it comes.

import { Skeleton, VisuallyHidden } from "@mantine/core";
import { useI18n } from "../../i18n/I18n";
import classes from "./Report.module.css";

const tiles = ["a", "b", "c", "d", "e", "f", "g", "h"];

export function ReportSkeleton() {
  const { t } = useI18n();
  return (
    <div className={classes.report} aria-busy="true">
      <VisuallyHidden role="status">{t.app.loading}</VisuallyHidden>
      <Skeleton height={20} maw={420} />
      <Skeleton height={66} />
      <Skeleton height={48} maw={420} />
      <div className={classes.tiles}>
        {tiles.map((tile) => (
          <Skeleton key={tile} height={132} />
        ))}
      </div>
      <Skeleton height={330} />
      <Skeleton height={360} />
    </div>
  );
}
