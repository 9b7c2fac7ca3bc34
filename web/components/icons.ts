/**
 * The icons, in Lucide's manner and, where named below, after its shapes (https://lucide.dev, ISC licence; see
 * web/LICENSES.md). Each says nothing to a screen reader: the control or the text beside it does.
 */
import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

const icon = (shape: SVGTemplateResult, size = ""): TemplateResult =>
  html`<svg class="icon ${size}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shape}</svg>`;

const make = (shape: SVGTemplateResult) => (size?: "small") => icon(shape, size);

/** One that points along the line: where that runs from right to left, it is mirrored. */
const directed = (shape: SVGTemplateResult) => (size?: "small") => icon(shape, `directed ${size ?? ""}`);

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
  logOut: directed(svg`<path d="M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4M16 17l5-5-5-5M21 12H9" />`),
  menu: make(svg`<path d="M4 7h16M4 12h16M4 17h16" />`),
  monitor: make(svg`<rect x="3" y="4" width="18" height="12.5" rx="2" /><path d="M8.5 20.5h7M12 16.5v4" />`),
  moon: make(svg`<path d="M20.5 14.5A8.5 8.5 0 1 1 9.5 3.5a6.6 6.6 0 0 0 11 11Z" />`),
  more: make(svg`<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="2.5" />`),
  newChat: make(
    svg`<path d="M12 4H6a2.5 2.5 0 0 0-2.5 2.5v11A2.5 2.5 0 0 0 6 20h11a2.5 2.5 0 0 0 2.5-2.5V12" /><path d="M18 3.2a1.9 1.9 0 0 1 2.8 2.7L12 14.7l-3.6.9.9-3.6Z" />`,
  ),
  pencil: make(svg`<path d="M16.7 3.8a2.1 2.1 0 0 1 3 3L7.5 19.2 3 20.5l1.3-4.5ZM14.5 6l3.5 3.5" />`),
  plug: make(svg`<path d="M12 21v-4M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0Z" />`),
  retry: directed(svg`<path d="M20 11A8 8 0 1 0 18 17.2M20 4.5V11h-6.5" />`),
  attach: make(
    svg`<path d="m20.5 11.5-8.3 8.3a5 5 0 0 1-7-7l8.400-8.400a3.300 3.300 0 0 1 4.700 4.700l-8.400 8.300a1.700 1.700 0 0 1-2.300-2.300l7.700-7.700" />`,
  ),
  ban: make(svg`<circle cx="12" cy="12" r="9" /><path d="m5.8 5.8 12.400 12.400" />`),
  bell: make(
    svg`<path d="M6 9.500a6 6 0 0 1 12 0c0 5 2 6.500 2 6.500H4s2-1.500 2-6.500ZM10 19.500a2.100 2.100 0 0 0 4 0" />`,
  ),
  book: make(
    svg`<path d="M12 6.500C10 5 7.500 4.500 3.500 4.500v14c4 0 6.500.5 8.500 2 2-1.500 4.500-2 8.500-2v-14c-4 0-6.500.5-8.500 2ZM12 6.500v14" />`,
  ),
  bookmark: make(svg`<path d="M6.500 4h11v16.500L12 16.500l-5.500 4Z" />`),
  calculator: make(
    svg`<rect x="5" y="3" width="14" height="18" rx="2.500" /><path d="M9 7.500h6M9 12h.01M12 12h.01M15 12h.01M9 16.500h.01M12 16.500h.01M15 16.500h.01" />`,
  ),
  chevronLeft: directed(svg`<path d="m15 6-6 6 6 6" />`),
  chevronRight: directed(svg`<path d="m9 6 6 6-6 6" />`),
  circle: make(svg`<circle cx="12" cy="12" r="8.500" />`),
  current: make(
    svg`<circle cx="12" cy="12" r="8.500" /><circle cx="12" cy="12" r="3" fill="currentColor" stroke="none" />`,
  ),
  done: make(svg`<circle cx="12" cy="12" r="8.500" /><path d="m8.300 12.200 2.600 2.600 4.800-5.200" />`),
  eraser: make(
    svg`<path d="m9 19.500-5.500-5.500 9.500-9.500 6.500 6.500-8.500 8.500ZM8.500 9l6.500 6.500M9 19.500h11.500" />`,
  ),
  file: make(svg`<path d="M13.500 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8.500ZM13.500 3v5.500H19" />`),
  globe: make(
    svg`<circle cx="12" cy="12" r="9" /><path d="M3 12h18M12 3c2.500 2.600 3.700 5.600 3.700 9S14.500 18.400 12 21c-2.500-2.600-3.700-5.600-3.700-9S9.500 5.600 12 3Z" />`,
  ),
  hand: make(
    svg`<path d="M8 12.500V5.800a1.500 1.500 0 0 1 3 0V11m0-6.500a1.500 1.500 0 0 1 3 0V11m0-4.500a1.500 1.500 0 0 1 3 0v8c0 3.600-2.400 6-5.800 6-2.700 0-4.100-1-5.300-3.200l-2.100-4a1.500 1.500 0 0 1 2.500-1.600l1.700 2" />`,
  ),
  join: directed(svg`<path d="M5 4.500v7a4 4 0 0 0 4 4h10.500M15 11l4.500 4.500L15 20" />`),
  keyboard: make(
    svg`<rect x="2.500" y="6" width="19" height="12" rx="2" /><path d="M6.500 10h.01M10 10h.01M14 10h.01M17.500 10h.01M8 14h8" />`,
  ),
  list: directed(
    svg`<path d="m3.500 6.500 1.500 1.500 2.500-3M3.500 16.500 5 18l2.500-3M11.500 6.500h9M11.500 17h9M11.500 11.800h9" />`,
  ),
  message: make(
    svg`<path d="M20.500 11.500a8 7.500 0 0 1-8.500 7.500c-1 0-2-.100-2.900-.400L4.500 20l.9-3.600A7.300 7.300 0 0 1 3.500 11.500 8 7.500 0 0 1 12 4a8 7.500 0 0 1 8.500 7.500Z" />`,
  ),
  phone: make(svg`<rect x="7" y="2.500" width="10" height="19" rx="2.200" /><path d="M11 18h2" />`),
  chart: make(
    svg`<path d="M4 4v14.500A1.500 1.500 0 0 0 5.500 20H20M8.500 15.500v-4M13 15.500v-8M17.500 15.500V10" />`,
  ),
  inspect: make(
    svg`<path d="M4 6h8M4 12h5M4 18h8" /><circle cx="15.500" cy="12.500" r="3.500" /><path d="m20.500 17.500-2.500-2.500" />`,
  ),
  pause: make(svg`<path d="M9 6v12M15 6v12" />`),
  play: make(svg`<path d="M8 5.500v13l10-6.500Z" />`),
  search: make(svg`<circle cx="11" cy="11" r="6.500" /><path d="m20 20-4.300-4.300" />`),
  settings: make(
    svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9" /><circle cx="15" cy="7" r="2" /><circle cx="9" cy="17" r="2" />`,
  ),
  spinner: make(svg`<path class="spins" d="M12 3.500a8.500 8.500 0 1 1-8.500 8.500" />`),
  thought: make(
    svg`<path d="M9 18h6M10 21h4M8.800 15c-.2-1.300-.8-2-1.500-2.900a6 6 0 1 1 9.400 0c-.7.9-1.300 1.600-1.500 2.900Z" />`,
  ),
  trash: make(
    svg`<path d="M4 6.500h16M9 6.500V4.300h6v2.200M6.300 6.500l.9 13.200h9.600l.9-13.200M10 10.500v5.500M14 10.500v5.500" />`,
  ),
  wrench: make(
    svg`<path d="M20.300 6.200a5.300 5.300 0 0 1-7 6.800l-6.200 6.300a1.900 1.900 0 0 1-2.700-2.700l6.300-6.200a5.300 5.300 0 0 1 6.800-7l-3 3.200.7 2 2.100.8Z" />`,
  ),
  stop: make(svg`<rect x="6.5" y="6.5" width="11" height="11" rx="2" fill="currentColor" stroke="none" />`),
  stopped: make(svg`<circle cx="12" cy="12" r="9" /><rect x="9" y="9" width="6" height="6" rx="1" />`),
  wrap: make(svg`<path d="M4 6h16M4 12h12.500a3 3 0 0 1 0 6H12M14.500 15.500 12 18l2.500 2.500M4 18h4" />`),
  sun: make(
    svg`<circle cx="12" cy="12" r="4" /><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />`,
  ),
  close: make(svg`<path d="M18 6 6 18M6 6l12 12" />`),
  people: make(
    svg`<circle cx="9" cy="8" r="3.500" /><path d="M2.500 20a6.500 6.500 0 0 1 13 0M15.500 4.900a3.500 3.500 0 0 1 0 6.200M18 14.500a6.500 6.500 0 0 1 3.500 5.500" />`,
  ),
  archive: make(
    svg`<rect x="3" y="4" width="18" height="5" rx="1.500" /><path d="M5 9v9.500A1.500 1.500 0 0 0 6.500 20h11a1.500 1.500 0 0 0 1.500-1.500V9M10 13h4" />`,
  ),
  download: make(svg`<path d="M12 4v11M7 10.500l5 5 5-5M4.500 20h15" />`),
  folder: make(
    svg`<path d="M3 7.500A2.500 2.500 0 0 1 5.500 5H9l2.500 2.500h7A2.500 2.500 0 0 1 21 10v6.500a2.500 2.500 0 0 1-2.500 2.500h-13A2.500 2.500 0 0 1 3 16.500Z" />`,
  ),
  pin: make(svg`<path d="M12 16.500V21M8.500 3.500h7l-1 6.500 3 3.500v3h-11v-3l3-3.500Z" />`),
  share: make(
    svg`<path d="M10.500 13.500a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1.200 1.200M13.500 10.500a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1.200-1.200" />`,
  ),
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
