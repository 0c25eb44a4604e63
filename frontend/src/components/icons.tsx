// The app's icons. All are decoration: the words stand beside them or in a label.

import type { ReactNode } from "react";

interface IconProps {
  /** Width and height in pixels. */
  size?: number;
}

function Stroked({ size = 18, children }: IconProps & { children: ReactNode }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

export const ChevronLeft = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M15 5l-7 7 7 7" />
  </Stroked>
);

export const ChevronRight = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M9 5l7 7-7 7" />
  </Stroked>
);

export const ChevronDown = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M5 9l7 7 7-7" />
  </Stroked>
);

export const ArrowUp = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M7 17L17 7M8 7h9v9" />
  </Stroked>
);

export const ArrowDown = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M7 7l10 10M17 8v9H8" />
  </Stroked>
);

export const Minus = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M5 12h14" />
  </Stroked>
);

export const Sun = (props: IconProps) => (
  <Stroked {...props}>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5" />
  </Stroked>
);

export const Moon = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M20 14.5A8 8 0 1 1 9.5 4 6.5 6.5 0 0 0 20 14.5z" />
  </Stroked>
);

export const Device = (props: IconProps) => (
  <Stroked {...props}>
    <rect x="3" y="4" width="18" height="12" rx="2" />
    <path d="M8 20h8M12 16v4" />
  </Stroked>
);

export const Globe = (props: IconProps) => (
  <Stroked {...props}>
    <circle cx="12" cy="12" r="9" />
    <path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18" />
  </Stroked>
);

export const SignOut = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M14 4H6v16h8M10 12h10M17 9l3 3-3 3" />
  </Stroked>
);

export const Warning = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M12 4L2.5 20h19zM12 10v4M12 17.2v.1" />
  </Stroked>
);

export const Clock = (props: IconProps) => (
  <Stroked {...props}>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7v5l3 2" />
  </Stroked>
);

export const Download = (props: IconProps) => (
  <Stroked {...props}>
    <path d="M12 4v11M7 10.5l5 5 5-5M5 20h14" />
  </Stroked>
);

export const Logo = () => (
  <svg aria-hidden="true" width="30" height="30" viewBox="0 0 32 32">
    <rect width="32" height="32" rx="9" fill="var(--mantine-primary-color-filled)" />
    <path
      d="M8 17.5h4L14.2 11l3.6 10.5L20 17.5h4"
      fill="none"
      stroke="#fff"
      strokeWidth="2.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  </svg>
);
