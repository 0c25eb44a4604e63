// The welcome page's picture: a report, seen from afar. Decoration only.

import classes from "./Session.module.css";

/** Heights of a fortnight's bars, in units of the picture. */
const bars = [62, 84, 70, 98, 76, 44, 52, 88, 104, 92, 118, 96, 60, 72];
const BASELINE = 250;

export function WelcomeArt() {
  return (
    <svg viewBox="0 0 440 340" className={classes.art} aria-hidden="true">
      <rect x="28" y="36" width="384" height="256" rx="22" className={classes.artCard} />
      <rect x="56" y="64" width="120" height="12" rx="6" className={classes.artInk} />
      <rect x="56" y="86" width="184" height="9" rx="4.5" className={classes.artLine} />
      {[130, 170, 210, BASELINE].map((y) => (
        <path key={y} d={`M56 ${y}H384`} className={classes.artGrid} />
      ))}
      {bars.map((height, index) => (
        <rect
          // biome-ignore lint/suspicious/noArrayIndexKey: the picture never changes
          key={index}
          x={60 + index * 23.5}
          y={BASELINE - height}
          width="14"
          height={height}
          rx="4"
          className={classes.artBar}
        />
      ))}
      <g transform="translate(320 210)">
        <rect width="104" height="104" rx="28" className={classes.artBadge} />
        <path d="M22 58h16l8-24 13 38 8-14h15" className={classes.artPulse} />
      </g>
    </svg>
  );
}
