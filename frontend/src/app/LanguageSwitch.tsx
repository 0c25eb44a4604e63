// Switches between the app's two languages; each is named in itself.

import { Button } from "@mantine/core";
import { Globe } from "../components/icons";
import { useI18n } from "../i18n/I18n";
import type { Locale } from "../i18n/locale";
import classes from "./Shell.module.css";

const names: Record<Locale, string> = { en: "English", ru: "Русский" };
const others: Record<Locale, Locale> = { en: "ru", ru: "en" };

export function LanguageSwitch() {
  const { locale, setLocale } = useI18n();
  const other = others[locale];
  return (
    <Button
      variant="subtle"
      color="gray"
      className={classes.language}
      lang={other}
      leftSection={<Globe />}
      onClick={() => setLocale(other)}
    >
      {names[other]}
    </Button>
  );
}
