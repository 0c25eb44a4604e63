// Chooses the report's period: its length, the one before or after, any day.

import { ActionIcon, Button, Group, Popover, SegmentedControl, Skeleton } from "@mantine/core";
import { lazy, Suspense, useEffect, useState } from "react";
import { ChevronDown, ChevronLeft, ChevronRight } from "../../../components/icons";
import { useI18n } from "../../../i18n/I18n";
import classes from "./Periods.module.css";
import {
  type Choice,
  changeKind,
  type PeriodName,
  periodLabel,
  periodNames,
  type Span,
  step,
  today,
} from "./period";

// Not needed for the first paint, but there before anybody opens it.
const loadCalendar = () => import("./PeriodCalendar");
const PeriodCalendar = lazy(loadCalendar);

interface PeriodBarProps {
  choice: Choice;
  /** The days of the period; unknown until the first answer of the latest one. */
  span: Span | undefined;
  onChoose: (choice: Choice) => void;
}

export function PeriodBar({ choice, span, onChoose }: PeriodBarProps) {
  const { t, format } = useI18n();
  const [open, setOpen] = useState(false);
  // A range is chosen in the calendar first: until both ends are there, nothing changes.
  const [picking, setPicking] = useState<PeriodName>(choice.name);
  useEffect(() => void loadCalendar(), []);
  const { name } = choice;
  const label = span ? periodLabel(name, span, format) : t.report.latest;

  const changeTo = (next: PeriodName) => {
    setPicking(next);
    if (next === "range") setOpen(true);
    else onChoose(changeKind(next, span));
  };
  const move = (direction: -1 | 1) => span && onChoose(step(name, span, direction));

  return (
    <div className={classes.bar}>
      <SegmentedControl
        value={name}
        onChange={(value) => {
          const next = periodNames.find((each) => each === value);
          if (next) changeTo(next);
        }}
        aria-label={t.report.periodKind}
        data={periodNames.map((each) => ({ value: each, label: t.report.kinds[each] }))}
      />
      <Group gap={4} wrap="nowrap" className={classes.stepper}>
        <ActionIcon
          variant="subtle"
          size="lg"
          aria-label={t.report.previous[name]}
          disabled={!span}
          onClick={() => move(-1)}
        >
          <ChevronLeft />
        </ActionIcon>
        <Popover
          opened={open}
          onChange={setOpen}
          trapFocus
          returnFocus
          position="bottom"
          shadow="md"
        >
          <Popover.Target>
            <Button
              variant="default"
              className={classes.label}
              rightSection={<ChevronDown size={14} />}
              aria-label={t.report.choose(label)}
              aria-haspopup="dialog"
              onClick={() => {
                setPicking(name);
                setOpen(!open);
              }}
            >
              {label}
            </Button>
          </Popover.Target>
          <Popover.Dropdown>
            <Suspense fallback={<Skeleton width={260} height={280} />}>
              <PeriodCalendar
                name={picking}
                span={span}
                onChoose={(next) => {
                  setOpen(false);
                  onChoose(next);
                }}
              />
            </Suspense>
          </Popover.Dropdown>
        </Popover>
        <ActionIcon
          variant="subtle"
          size="lg"
          aria-label={t.report.next[name]}
          disabled={!span || span.end >= today()}
          onClick={() => move(1)}
        >
          <ChevronRight />
        </ActionIcon>
      </Group>
    </div>
  );
}
