// Light, dark, or as the device is.

import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { Device, Moon, Sun } from "../components/icons";
import { useI18n } from "../i18n/I18n";

const icons = { light: Sun, dark: Moon, auto: Device };
const schemes: MantineColorScheme[] = ["light", "dark", "auto"];

export function ThemeMenu() {
  const { t } = useI18n();
  // Stopping transitions would take a <style> element, which the content security policy forbids.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const Current = icons[colorScheme];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={`${t.app.theme}: ${t.app.themes[colorScheme]}`}
        >
          <Current />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(value) => setColorScheme(schemes.find((each) => each === value) ?? "auto")}
        >
          {schemes.map((scheme) => (
            <Menu.RadioItem key={scheme} value={scheme}>
              {t.app.themes[scheme]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
