// The way in, for who is new here, whose session ended, or who just left.

import { Button, Paper, Title } from "@mantine/core";
import { useLocation } from "react-router";
import { Notice } from "../../components/Notice";
import { useI18n } from "../../i18n/I18n";
import classes from "./Session.module.css";
import { FINISH_SIGN_OUT, returnTo, signInUrl } from "./sign-in";
import { WelcomeArt } from "./WelcomeArt";

interface SignedOutPageProps {
  why: "new" | "expired" | "left" | "left-here";
}

export function SignedOutPage({ why }: SignedOutPageProps) {
  const { t } = useI18n();
  const text = t.welcome;
  if (why === "expired") {
    return (
      <Notice urgent title={text.expiredTitle} text={text.expiredText}>
        <SignInButton />
      </Notice>
    );
  }
  if (why === "left-here") {
    return (
      <Notice urgent title={text.leftHereTitle} text={text.leftHereText}>
        <Button component="a" href={FINISH_SIGN_OUT} size="md">
          {text.leftHereFinish}
        </Button>
      </Notice>
    );
  }
  if (why === "left") {
    return (
      <Notice title={text.leftTitle} text={text.leftText}>
        <SignInButton />
      </Notice>
    );
  }
  return (
    <div className={classes.welcome}>
      <title>{t.app.name}</title>
      <div className={classes.hero}>
        <div>
          <Title order={1} tabIndex={-1} data-page-heading>
            {text.title}
          </Title>
          <p className={classes.lead}>{text.lead}</p>
          <SignInButton />
        </div>
        <WelcomeArt />
      </div>
      <ul className={classes.points}>
        {text.points.map((point) => (
          <Paper component="li" key={point.title}>
            <strong>{point.title}</strong>
            <span>{point.text}</span>
          </Paper>
        ))}
      </ul>
    </div>
  );
}

/** Leads to the gateway's sign-in and back to the page that was asked for. */
export function SignInButton() {
  const { t, locale } = useI18n();
  const location = useLocation();
  return (
    <Button component="a" href={signInUrl(returnTo(location), locale)} size="md">
      {t.app.signIn}
    </Button>
  );
}
