//! The words of the CSV format, by language. Those for codes are the report page's.

use super::super::Language;

/// English and Russian.
#[derive(Clone, Copy)]
pub(super) struct Word(&'static str, &'static str);

impl Word {
    pub(super) fn in_(self, language: Language) -> &'static str {
        match language {
            Language::English => self.0,
            Language::Russian => self.1,
        }
    }
}

pub(super) const HEADERS: [Word; 7] = [
    Word("Section", "Раздел"),
    Word("From", "С"),
    Word("To", "По"),
    Word("Item", "Объект"),
    Word("Measure", "Показатель"),
    Word("Value", "Значение"),
    Word("Unit", "Единица"),
];

pub(super) const REPORT: Word = Word("Report", "Отчёт");
pub(super) const PERIOD: Word = Word("Period", "Период");
pub(super) const PREVIOUS: Word = Word("Period before", "Предыдущий период");
pub(super) const DAY: Word = Word("Day", "День");
pub(super) const GRIP: Word = Word("Grip", "Захват");
pub(super) const FAULT: Word = Word("Fault", "Сбой");
pub(super) const PROSTHESIS: Word = Word("Prosthesis", "Протез");
pub(super) const VISIT: Word = Word("Service visit", "Визит в сервис");

pub(super) const CUSTOMER: Word = Word("Customer", "Клиент");
pub(super) const CUSTOMER_ID: Word = Word("Customer number", "Номер клиента");
pub(super) const TELEMETRY: Word = Word("Readings complete until", "Показания полны до");
pub(super) const PREVIOUS_TELEMETRY: Word = Word(
    "Readings of the period before complete until",
    "Показания предыдущего периода полны до",
);
pub(super) const CRM: Word = Word("CRM complete until", "Данные CRM полны до");
pub(super) const GENERATED: Word = Word("Made at", "Составлен");
pub(super) const NOTHING_YET: Word = Word("no data yet", "данных ещё нет");

pub(super) const READINGS: Word = Word("Readings", "Показания");
pub(super) const ACTIVE_DAYS: Word = Word("Active days", "Активные дни");
pub(super) const USE: Word = Word("Time of use", "Время использования");
pub(super) const RESPONSE_MEAN: Word = Word("Mean response time", "Среднее время отклика");
pub(super) const RESPONSE_P95: Word = Word(
    "Response time, 95th percentile",
    "Время отклика, 95-й процентиль",
);
pub(super) const FORCE_MEAN: Word = Word("Mean grip force", "Средняя сила захвата");
pub(super) const EMG_MEAN: Word = Word("Mean signal quality", "Среднее качество сигнала");
pub(super) const BATTERY_MIN: Word = Word("Lowest battery charge", "Наименьший заряд батареи");
pub(super) const FAULTS: Word = Word("Faults", "Сбои");
pub(super) const LAST_DAY: Word = Word("Last day", "Последний день");

pub(super) const MODEL: Word = Word("Model", "Модель");
pub(super) const SIDE: Word = Word("Side", "Сторона");
pub(super) const FIRMWARE: Word = Word("Firmware", "Прошивка");
pub(super) const KIND: Word = Word("Kind", "Вид");

pub(super) const MS: Word = Word("ms", "мс");
pub(super) const MN: Word = Word("mN", "мН");
pub(super) const PCT: Word = Word("%", "%");
pub(super) const DAYS: Word = Word("days", "дн.");
pub(super) const NONE: Word = Word("", "");

/// Codes of the data and their words.
type Codes = [(&'static str, Word)];

pub(super) const GRIPS: &Codes = &[
    ("power", Word("Power grip", "Силовой захват")),
    ("pinch", Word("Pinch", "Щипок")),
    ("tripod", Word("Tripod", "Трёхпальцевый")),
    ("lateral", Word("Key grip", "Боковой (ключ)")),
    ("hook", Word("Hook", "Крюк")),
    ("point", Word("Point", "Указание")),
];
pub(super) const FAULT_CODES: &Codes = &[
    (
        "ELECTRODE_CONTACT",
        Word("Poor electrode contact", "Плохой контакт электрода"),
    ),
    (
        "SENSOR_DROPOUT",
        Word("Sensor signal lost", "Потеря сигнала датчика"),
    ),
    ("MOTOR_STALL", Word("Motor blocked", "Мотор заблокирован")),
    ("OVERHEAT", Word("Too warm", "Перегрев")),
    ("COMM_TIMEOUT", Word("Connection lost", "Потеря связи")),
    (
        "LOW_BATTERY",
        Word("Battery nearly empty", "Батарея почти разряжена"),
    ),
];
pub(super) const SIDES: &Codes = &[
    ("left", Word("left", "левый")),
    ("right", Word("right", "правый")),
];
pub(super) const VISIT_KINDS: &Codes = &[
    ("fitting", Word("Fitting", "Подгонка")),
    ("inspection", Word("Inspection", "Осмотр")),
    ("repair", Word("Repair", "Ремонт")),
    (
        "firmware_update",
        Word("Firmware update", "Обновление прошивки"),
    ),
];

/// The words for a code; one that has none stands for itself.
pub(super) fn of<'a>(codes: &Codes, code: &'a str, language: Language) -> &'a str {
    let known = codes.iter().find(|(known, _)| *known == code);
    known.map_or(code, |(_, word)| word.in_(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_words_of_the_report_page() {
        let english = include_str!("../../../../../frontend/src/i18n/en.ts");
        let russian = include_str!("../../../../../frontend/src/i18n/ru.ts");
        for (code, Word(en, ru)) in [GRIPS, FAULT_CODES, SIDES, VISIT_KINDS].concat() {
            for (page, word) in [(english, en), (russian, ru)] {
                let line = format!("{code}: \"{word}\"");
                assert!(page.contains(&line), "the page does not have {line}");
            }
        }
    }

    #[test]
    fn a_code_without_words_stands_for_itself() {
        assert_eq!(of(GRIPS, "claw", Language::Russian), "claw");
        assert_eq!(of(GRIPS, "hook", Language::Russian), "Крюк");
    }
}
