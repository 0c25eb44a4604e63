// The calendar of the period picker: a day, a week, a month, or two days.

import { DatePicker, DatesProvider, MonthPicker, WeekPicker } from "@mantine/dates";
import "@mantine/dates/styles.css";
import "dayjs/locale/ru";
import { useState } from "react";
import { useI18n } from "../../../i18n/I18n";
import {
  addDays,
  type Choice,
  lengthOf,
  type PeriodName,
  type Span,
  spanAround,
  today,
} from "./period";

/** The longest range that the contract allows, in days. */
const MAX_RANGE_DAYS = 366;

interface PeriodCalendarProps {
  name: PeriodName;
  span: Span | undefined;
  onChoose: (choice: Choice) => void;
}

export default function PeriodCalendar({ name, span, onChoose }: PeriodCalendarProps) {
  const { locale } = useI18n();
  return (
    <DatesProvider settings={{ locale, firstDayOfWeek: 1, weekendDays: [] }}>
      {name === "range" ? (
        <RangeCalendar span={span} onChoose={onChoose} />
      ) : (
        <SingleCalendar name={name} span={span} onChoose={onChoose} />
      )}
    </DatesProvider>
  );
}

function SingleCalendar({
  name,
  span,
  onChoose,
}: PeriodCalendarProps & { name: Exclude<PeriodName, "range"> }) {
  const { t } = useI18n();
  const common = {
    ariaLabels: t.report.calendar,
    maxDate: today(),
    ...(span && { defaultDate: span.end }),
  };
  const choose = (day: string | null) =>
    day && onChoose({ name, day: spanAround(name, day.slice(0, 10)).start });
  if (name === "month") {
    return <MonthPicker {...common} value={span?.start ?? null} onChange={choose} />;
  }
  if (name === "week") {
    return <WeekPicker {...common} value={span?.start ?? null} onChange={choose} />;
  }
  return <DatePicker {...common} value={span?.start ?? null} onChange={choose} />;
}

function RangeCalendar({ span, onChoose }: Pick<PeriodCalendarProps, "span" | "onChoose">) {
  const { t } = useI18n();
  const [value, setValue] = useState<[string | null, string | null]>([null, null]);
  const [first] = value;
  const longest = first && addDays(first, MAX_RANGE_DAYS - 1);
  return (
    <DatePicker
      type="range"
      ariaLabels={t.report.calendar}
      allowSingleDateInRange
      maxDate={longest && longest < today() ? longest : today()}
      {...(span && { defaultDate: span.end })}
      value={value}
      onChange={(next) => {
        setValue(next);
        const [start, end] = next;
        if (start && end && lengthOf({ start, end }) <= MAX_RANGE_DAYS) {
          onChoose({ name: "range", day: start, endDay: end });
        }
      }}
    />
  );
}
