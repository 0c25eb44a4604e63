// Hands the dictionary and the formats of the chosen language to components.

import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { type Dictionary, en } from "./en";
import { type Format, formats } from "./format";
import { initialLocale, type Locale, rememberLocale } from "./locale";
import { ru } from "./ru";

const dictionaries: Record<Locale, Dictionary> = { en, ru };

interface I18n {
  locale: Locale;
  setLocale: (locale: Locale) => void;
  t: Dictionary;
  format: Format;
}

const I18nContext = createContext<I18n | undefined>(undefined);

export function I18nProvider({ children }: { children: ReactNode }) {
  const [locale, setLocale] = useState(initialLocale);
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  const value = useMemo<I18n>(
    () => ({
      locale,
      setLocale: (chosen) => {
        rememberLocale(chosen);
        setLocale(chosen);
      },
      t: dictionaries[locale],
      format: formats[locale],
    }),
    [locale],
  );
  return <I18nContext value={value}>{children}</I18nContext>;
}

export function useI18n(): I18n {
  const value = use(I18nContext);
  if (!value) throw new Error("useI18n needs an I18nProvider around it");
  return value;
}
