// Sets theme and language on <html> before the first paint. A file of its own,
// because the content security policy allows no inline script. The keys are
// those of src/app/theme.ts and src/i18n/locale.ts.
(() => {
  const root = document.documentElement;
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is blocked: the defaults hold
    }
  };
  const theme = read("bionicpro.theme");
  const dark =
    theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  const preferred = navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
  const locale = read("bionicpro.locale");
  root.lang = locale === "en" || locale === "ru" ? locale : preferred;
})();
