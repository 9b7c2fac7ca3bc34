/**
 * The icons, in Lucide's manner and, where named below, after its shapes (https://lucide.dev, ISC licence; see
 * web/LICENSES.md). Each says nothing to a screen reader: the control or the text beside it does.
 */
import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

const icon = (shape: SVGTemplateResult, size = ""): TemplateResult =>
  html`<svg class="icon ${size}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shape}</svg>`;

const make = (shape: SVGTemplateResult) => (size?: "small") => icon(shape, size);

export const icons = {
  alert: make(svg`<circle cx="12" cy="12" r="9" /><path d="M12 8v4.5M12 16h.01" />`),
  arrowDown: make(svg`<path d="M12 5v14M19 12l-7 7-7-7" />`),
  arrowUp: make(svg`<path d="M12 19V5M5 12l7-7 7 7" />`),
  check: make(svg`<path d="M20 6 9 17l-5-5" />`),
  chevronDown: make(svg`<path d="m6 9 6 6 6-6" />`),
  chevronUp: make(svg`<path d="m18 15-6-6-6 6" />`),
  clock: make(svg`<circle cx="12" cy="12" r="9" /><path d="M12 7v5l3 2" />`),
  copy: make(
    svg`<rect x="9" y="9" width="12" height="12" rx="2.5" /><path d="M5.5 15H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v.5" />`,
  ),
  image: make(
    svg`<rect x="3" y="3" width="18" height="18" rx="2.5" /><circle cx="9" cy="9" r="1.75" /><path d="m21 15-4.5-4.5L6 21" />`,
  ),
  logOut: make(svg`<path d="M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4M16 17l5-5-5-5M21 12H9" />`),
  menu: make(svg`<path d="M4 7h16M4 12h16M4 17h16" />`),
  monitor: make(svg`<rect x="3" y="4" width="18" height="12.5" rx="2" /><path d="M8.5 20.5h7M12 16.5v4" />`),
  moon: make(svg`<path d="M20.5 14.5A8.5 8.5 0 1 1 9.5 3.5a6.6 6.6 0 0 0 11 11Z" />`),
  more: make(svg`<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="2.5" />`),
  newChat: make(
    svg`<path d="M12 4H6a2.5 2.5 0 0 0-2.5 2.5v11A2.5 2.5 0 0 0 6 20h11a2.5 2.5 0 0 0 2.5-2.5V12" /><path d="M18 3.2a1.9 1.9 0 0 1 2.8 2.7L12 14.7l-3.6.9.9-3.6Z" />`,
  ),
  pencil: make(svg`<path d="M16.7 3.8a2.1 2.1 0 0 1 3 3L7.5 19.2 3 20.5l1.3-4.5ZM14.5 6l3.5 3.5" />`),
  plug: make(svg`<path d="M12 21v-4M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0Z" />`),
  retry: make(svg`<path d="M20 11A8 8 0 1 0 18 17.2M20 4.5V11h-6.5" />`),
  stop: make(svg`<rect x="6.5" y="6.5" width="11" height="11" rx="2" fill="currentColor" stroke="none" />`),
  stopped: make(svg`<circle cx="12" cy="12" r="9" /><rect x="9" y="9" width="6" height="6" rx="1" />`),
  sun: make(
    svg`<circle cx="12" cy="12" r="4" /><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />`,
  ),
  close: make(svg`<path d="M18 6 6 18M6 6l12 12" />`),
} as const;

/** Parley's mark: a speech bubble, and in it two lines that meet. */
export const mark = (): TemplateResult =>
  html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path
      class="bubble"
      d="M16 3.5c7.2 0 13 5 13 11.3S23.200 26 16 26c-1.500 0-3-.2-4.300-.600L6 28.500l.9-5.100C4.500 21.300 3 18.200 3 14.800 3 8.500 8.800 3.500 16 3.500Z"
    />
    <path class="lines" d="M10 12.500h12M10 17.500h7" />
  </svg>`;
