// English. Its shape is the shape of every dictionary.

import type { ReasonName } from "../rpc/failure";
import { counted } from "./plural";

interface Explanation {
  title: string;
  /** What it means and what to do. */
  text: string;
}

const grips: Record<string, string> = {
  power: "Power grip",
  pinch: "Pinch",
  tripod: "Tripod",
  lateral: "Key grip",
  hook: "Hook",
  point: "Point",
};

const faults: Record<string, string> = {
  ELECTRODE_CONTACT: "Poor electrode contact",
  SENSOR_DROPOUT: "Sensor signal lost",
  MOTOR_STALL: "Motor blocked",
  OVERHEAT: "Too warm",
  COMM_TIMEOUT: "Connection lost",
  LOW_BATTERY: "Battery nearly empty",
};

const failures: Partial<Record<ReasonName, Explanation>> = {
  DEADLINE_EXCEEDED: {
    title: "This is taking too long",
    text: "The report did not arrive in time. A shorter period may help, or trying again in a moment.",
  },
  OVERLOADED: {
    title: "Many people are here right now",
    text: "The service is busy. We try again by ourselves.",
  },
  DEPENDENCY_UNAVAILABLE: {
    title: "We can’t reach your data right now",
    text: "A part of the service does not answer. Your data is safe; we try again by ourselves.",
  },
  CUSTOMER_NOT_LINKED: {
    title: "Your account isn’t connected to a prosthesis yet",
    text: "Please ask your clinic or BionicPRO support to connect it. You can stay signed in.",
  },
  CUSTOMER_NOT_FOUND: {
    title: "We don’t know your customer record yet",
    text: "It may be on its way to us. Please come back in a few minutes; if this stays, ask BionicPRO support.",
  },
  PERIOD_INVALID: {
    title: "There is no such period",
    text: "Please choose other days. A report covers at most 366 days.",
  },
  INVALID_FIELD: {
    title: "There is no such period",
    text: "Please choose other days. A report covers at most 366 days.",
  },
  ACCESS_DENIED: {
    title: "This page is not for your account",
    text: "Your account may not open it. If you think that it should, ask BionicPRO support.",
  },
  CROSS_SITE_REQUEST: {
    title: "The page lost its place",
    text: "Please load the page again. An old browser or an extension can also cause this.",
  },
  EXPORT_NOT_FOUND: {
    title: "This file is no longer there",
    text: "Please open the report and export it again.",
  },
  EXPORT_FOREIGN: {
    title: "This file is somebody else’s",
    text: "Only who made a file can download it. Please export your own report.",
  },
  EXPORT_LINK_INVALID: {
    title: "This link is damaged",
    text: "Please download the file from the page of your exports.",
  },
  EXPORT_LINK_EXPIRED: {
    title: "This link has ended",
    text: "A link holds for a few minutes. Please download the file from the page of your exports.",
  },
  EXPORT_FILE_LOST: {
    title: "This file is no longer there",
    text: "It has been removed from our storage. Your report is safe: make the file again.",
  },
  TOO_MANY_EXPORTS: {
    title: "Many of your files are still being prepared",
    text: "Ten at a time are the most. We ask for this one as soon as another one is ready.",
  },
  EXPORT_STORE_UNAVAILABLE: {
    title: "The file could not be stored",
    text: "Your report is safe; please try again in a minute.",
  },
  SESSION_NOT_FOUND: {
    title: "Your session has ended",
    text: "Please sign in again.",
  },
};

const signInFailures: Partial<Record<ReasonName, Explanation>> = {
  SIGN_IN_ATTEMPT_INVALID: {
    title: "This sign-in can no longer be completed",
    text: "It took too long, was already used, or was begun in another browser. Please start again.",
  },
  SIGN_IN_REFUSED: {
    title: "The sign-in was not allowed",
    text: "It was cancelled, or your account may not sign in. Try again, or ask BionicPRO support.",
  },
  SIGN_IN_ANSWER_INVALID: {
    title: "We could not trust the answer",
    text: "The sign-in service’s answer failed a safety check, so we stopped. Nobody was signed in. Please start again.",
  },
  RETURN_TO_FOREIGN: {
    title: "That link leads somewhere else",
    text: "The page to open after signing in is not one of ours, so we did not go there. Please sign in from here.",
  },
  DEPENDENCY_UNAVAILABLE: {
    title: "Signing in does not work right now",
    text: "The sign-in service does not answer. Please try again in a minute.",
  },
};

const reading = { one: "grip", other: "grips" };
const day = { one: "day", other: "days" };

export const en = {
  app: {
    name: "BionicPRO",
    skip: "Skip to content",
    navigation: "Your pages",
    theme: "Theme",
    themes: { light: "Light", dark: "Dark", auto: "Like the device" },
    account: (name: string) => `Account: ${name}`,
    signIn: "Sign in",
    signOut: "Sign out",
    signOutFailed: "Signing out did not work. You may still be signed in: please try again.",
    loading: "Loading…",
    offline: "You are offline. What you see may be out of date.",
    retry: "Try again",
    notFoundTitle: "There is no such page",
    notFoundText: "The address may have a typing mistake.",
    home: "Go to your report",
    crashTitle: "Something went wrong on this page",
    crashText: "Please load it again. Your data is safe.",
    reload: "Load again",
  },
  welcome: {
    title: "See how your prosthesis works for you",
    lead: "Your use, your response times, your grips: day by day, in plain words.",
    points: [
      { title: "Yours alone", text: "Only you see your report." },
      { title: "Up to date", text: "New readings come in every day." },
      { title: "Clear", text: "Charts and tables that explain themselves." },
    ],
    leftTitle: "You are signed out",
    leftText: "See you soon. On a shared computer, you can now close the browser.",
    leftHereTitle: "You are signed out here, but not at the sign-in service",
    leftHereText:
      "The sign-in service did not answer, so it may still know you: whoever uses this browser next could get in without your password. Please finish signing out there, in a minute if it does not answer yet. On a shared computer, also close all windows of the browser.",
    leftHereFinish: "Finish signing out",
    expiredTitle: "Your session has ended",
    expiredText: "For your safety we sign you out after a while. Sign in to go on where you were.",
  },
  signInFailed: {
    known: signInFailures,
    done: {
      title: "You are signed in already",
      text: "This sign-in was completed before. You can go on.",
    },
    other: {
      title: "Signing in did not work",
      text: "Nobody was signed in. Please try again; if this stays, ask BionicPRO support.",
    },
    code: (code: string) => `Code for support: ${code}`,
  },
  failures: {
    known: failures,
    unreachable: {
      title: "We can’t reach BionicPRO",
      text: "Please check your connection. We try again by ourselves.",
    },
    other: {
      title: "Something went wrong on our side",
      text: "Your data is safe. Please try again; if this stays, tell BionicPRO support the code.",
    },
  },
  staff: {
    title: (name: string) => `Welcome, ${name}`,
    text: "You are signed in as staff. This account has no prosthesis, so there is no report to show.",
    next: "Your tools for the daily load and CRM changes are not in this app yet. Until then grpcurl reaches them: the README shows how.",
  },
  report: {
    title: "Report",
    of: (name: string) => `Report for ${name}`,
    loaded: (period: string) => `Report for ${period} is shown`,
    periodKind: "Length of the period",
    kinds: { day: "Day", week: "Week", month: "Month", range: "Range" },
    previous: {
      day: "Previous day",
      week: "Previous week",
      month: "Previous month",
      range: "Earlier",
    },
    next: { day: "Next day", week: "Next week", month: "Next month", range: "Later" },
    choose: (period: string) => `${period}: choose another period`,
    latest: "Latest",
    calendar: {
      previousMonth: "Previous month",
      nextMonth: "Next month",
      previousYear: "Previous year",
      nextYear: "Next year",
      previousDecade: "Previous decade",
      nextDecade: "Next decade",
    },
    past: { day: "Recent days", week: "Recent weeks", month: "Recent months" },
    pastEmpty: "No periods with readings yet.",
    pastMore: "Show earlier",
    emptyTitle: "No readings in this period",
    emptyText:
      "Your prosthesis sent nothing for these days. It may have been off, or not connected.",
    emptyPendingTitle: "These days are not loaded yet",
    emptyPending:
      "The readings of these days are still being loaded: a day’s come in the night after it. Please look again later.",
    emptyEver:
      "As soon as your prosthesis sends its first readings, your report appears here. That can take a day.",
    toLatest: "Show the latest period with readings",
    summary: (active: number, days: number, perDay: string) =>
      `You used your prosthesis on ${active} of ${counted("en", days, day)}, about ${perDay} on each.`,
    summaryDay: (use: string) => `You used your prosthesis for ${use} on this day.`,
    summaryFaster: (percent: string) => `It answered ${percent} faster than before.`,
    summarySlower: (percent: string) => `It answered ${percent} more slowly than before.`,
    summarySteady: "It answered as fast as before.",
    summaryFaults: (count: number) =>
      count === 0
        ? "There were no faults."
        : `There ${count === 1 ? "was" : "were"} ${counted("en", count, { one: "fault", other: "faults" })}.`,
  },
  totals: {
    heading: "The period in numbers",
    inProgress: "This period is not complete yet.",
    previousLacks: "Some of its readings are missing.",
    comparedWith: (period: string) => `Compared with ${period}.`,
    comparedPerDay: (period: string) =>
      `Compared with ${period}: use, grips and faults per active day.`,
    nothingToCompare: "There are no readings in the period before to compare with.",
    readings: "Grips",
    perActiveDay: (count: string) => `${count} per active day`,
    activeDays: "Active days",
    ofDays: (days: number) => `of ${counted("en", days, day)}`,
    use: "Time in use",
    response: "Response time",
    p95: (ms: string) => `95 of 100 within ${ms}`,
    battery: "Lowest battery",
    emg: "Signal quality",
    emgNote: "mean of the muscle signal",
    batteryNote: "lowest charge in the period",
    force: "Grip force",
    forceNote: "mean",
    faults: "Faults",
    faultsPer: (rate: string) => `${rate} of all grips`,
    more: (amount: string) => `${amount} more`,
    less: (amount: string) => `${amount} less`,
    same: "No change",
    higher: (amount: string) => `${amount} higher`,
    lower: (amount: string) => `${amount} lower`,
    faster: (amount: string) => `${amount} faster`,
    slower: (amount: string) => `${amount} slower`,
    points: (count: number) => counted("en", count, { one: "point", other: "points" }),
    daysMore: (count: number) => counted("en", count, day),
    better: "better",
    worse: "worse",
    none: "No data",
  },
  charts: {
    view: (title: string) => `${title}: chart or table`,
    chart: "Chart",
    table: "Table",
    failed: "The chart could not be loaded. The table has the same numbers.",
    explore: (title: string) => `${title}. Arrow keys move through the values.`,
    use: "Use over the days",
    useHint: "How long your prosthesis was gripping each day",
    response: "Response time over the days",
    responseHint: "From the muscle signal to the movement; lower is better",
    grips: "Grips",
    gripsHint: "How often you used each grip",
    faults: "Faults",
    faultsHint: "What your prosthesis reported, and how often",
    noFaults: "No faults in this period.",
    mean: "Mean",
    p95: "95 of 100 within",
    readings: (count: number) => counted("en", count, reading),
    faultCount: (count: number) => counted("en", count, { one: "time", other: "times" }),
    columns: {
      day: "Day",
      readings: "Grips",
      use: "Time in use",
      faults: "Faults",
      mean: "Mean",
      p95: "95 of 100 within",
      grip: "Grip",
      times: "Times",
      share: "Share",
      fault: "Fault",
      last: "Last seen",
      total: "Total",
    },
    noReadings: "no readings",
  },
  exports: {
    short: "Exports",
    title: "Your exports",
    lead: "Your reports as files: to keep, to print, or to give to your doctor. Only you can download them, and only while you are signed in.",
    export: "Export",
    dialog: (period: string) => `Export ${period}`,
    formats: { csv: "Spreadsheet (CSV)", json: "Data file (JSON)" },
    formatHints: {
      csv: "Opens in Excel, Numbers or Google Sheets.",
      json: "For other programs: the whole report.",
    },
    languages: { en: "in English", ru: "in Russian" },
    languageHints: {
      csv: "The file is in English, the language of this page.",
      json: "The file is the same in every language.",
    },
    make: "Make the file",
    asked: (moment: string) => `Requested on ${moment}`,
    partial: (moment: string) => `Only readings up to ${moment}: the period was not complete`,
    preparing: "Preparing…",
    preparingHint: "This takes a few seconds. You can leave the page.",
    download: "Download",
    again: "Try again",
    failedHint: "Your report is safe; please try again in a minute.",
    downloadFailed: "Please try again.",
    more: "Show more",
    moreFailed: "The next ones could not be loaded. Please try again.",
    stale: (moment: string) => `This list could not be updated. It is as of ${moment}.`,
    emptyTitle: "No exports yet",
    emptyText:
      "Open a report and choose Export: its file then appears here, to be downloaded whenever you need it.",
    news: {
      pending: (period: string, file: string) => `The file is being prepared: ${period}, ${file}.`,
      ready: (period: string, file: string) => `Ready to download: ${period}, ${file}.`,
      failed: (period: string, file: string) => `The file could not be made: ${period}, ${file}.`,
      lost: (period: string, file: string) => `The file is no longer there: ${period}, ${file}.`,
    },
  },
  device: {
    heading: "Your prostheses",
    serial: "Serial number",
    firmware: "Firmware",
    side: { left: "left", right: "right" } as Record<string, string>,
    since: (day: string) => `Yours since ${day}`,
    between: (from: string, to: string) => `Yours from ${from} to ${to}`,
    visits: "Service visits",
    noVisits: "No service visits in this period.",
    visitKinds: {
      fitting: "Fitting",
      inspection: "Inspection",
      repair: "Repair",
      firmware_update: "Firmware update",
    } as Record<string, string>,
  },
  freshness: {
    label: "How fresh this is",
    telemetry: (moment: string) => `Readings up to ${moment}`,
    crm: (moment: string) => `customer data up to ${moment}`,
    noTelemetry: "No readings have been loaded yet",
    noCrm: "no customer data has been loaded yet",
    stale: "This is older than usual. New readings may be missing; we are probably already on it.",
  },
  grips,
  faults,
};

export type Dictionary = typeof en;
