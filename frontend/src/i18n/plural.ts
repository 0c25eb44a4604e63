// Plural forms by the rules of CLDR, through Intl.

import type { Locale } from "./locale";

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

const rules: Record<Locale, Intl.PluralRules> = {
  en: new Intl.PluralRules("en"),
  ru: new Intl.PluralRules("ru"),
};
const integers: Record<Locale, Intl.NumberFormat> = {
  en: new Intl.NumberFormat("en", { maximumFractionDigits: 0 }),
  ru: new Intl.NumberFormat("ru", { maximumFractionDigits: 0 }),
};

/** The form of a word that goes with `count`, without the number. */
export function plural(locale: Locale, count: number, forms: Forms): string {
  return forms[rules[locale].select(count)] ?? forms.other;
}

/** The number with the form of the word that goes with it: "3 дня". */
export function counted(locale: Locale, count: number, forms: Forms): string {
  return `${integers[locale].format(count)}\u00a0${plural(locale, count, forms)}`;
}
