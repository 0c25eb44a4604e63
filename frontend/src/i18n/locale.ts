// Which language the app speaks: the person's choice, else the browser's.
// `public/boot.js` reads the same key before the first paint.

export const locales = ["en", "ru"] as const;
export type Locale = (typeof locales)[number];

const STORAGE_KEY = "bionicpro.locale";

export function isLocale(value: unknown): value is Locale {
  return locales.some((locale) => locale === value);
}

/** The language that `boot.js` put on `<html lang>`. */
export function initialLocale(): Locale {
  const { lang } = document.documentElement;
  return isLocale(lang) ? lang : "en";
}

export function rememberLocale(locale: Locale): void {
  try {
    localStorage.setItem(STORAGE_KEY, locale);
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
}
