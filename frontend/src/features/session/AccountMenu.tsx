// Who is signed in, and the way out.

import { Alert, Avatar, Button, Menu, VisuallyHidden } from "@mantine/core";
import { useState } from "react";
import { useNavigate } from "react-router";
import { SignOut } from "../../components/icons";
import { useI18n } from "../../i18n/I18n";
import { useSession } from "./Session";
import classes from "./Session.module.css";

export function AccountMenu() {
  const { t } = useI18n();
  const session = useSession();
  const navigate = useNavigate();
  const [failed, setFailed] = useState(false);
  if (session.state !== "signed-in") return null;
  const { username, displayName } = session.me;
  const name = displayName || username;

  const leave = async () => {
    setFailed(false);
    try {
      await session.signOut();
      navigate("/");
    } catch {
      setFailed(true);
    }
  };

  return (
    <>
      <Menu position="bottom-end" width={240}>
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            className={classes.account}
            leftSection={<Avatar name={name} color="brand" size={30} aria-hidden />}
          >
            <span className={classes.accountName} aria-hidden="true">
              {name}
            </span>
            <VisuallyHidden>{t.app.account(name)}</VisuallyHidden>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {name}
            <br />
            {username}
          </Menu.Label>
          <Menu.Divider />
          <Menu.Item leftSection={<SignOut />} onClick={() => void leave()}>
            {t.app.signOut}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {failed && (
        <Alert
          role="alert"
          color="red"
          withCloseButton
          onClose={() => setFailed(false)}
          className={classes.signOutFailed}
        >
          {t.app.signOutFailed}
        </Alert>
      )}
    </>
  );
}
