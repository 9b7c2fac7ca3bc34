import { css } from "lit";

export const sidebarSheet = css`
  parley-sidebar {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 0;
    padding: 12px 10px max(10px, env(safe-area-inset-bottom));
  }

  parley-sidebar .top {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 40px;
    padding-inline-start: 8px;
  }

  parley-sidebar .brand {
    display: inline-flex;
    align-items: center;
    gap: 9px;
    padding: 4px;
    border-radius: 8px;
    color: var(--text);
    font-size: 1rem;
    font-weight: 650;
    letter-spacing: -0.01em;
    text-decoration: none;
  }

  parley-sidebar .mark {
    width: 24px;
    height: 24px;
  }

  parley-sidebar .new {
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: max(38px, var(--target));
    margin-top: 12px;
    padding: 0 12px;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--raised);
    color: var(--text);
    font-weight: 550;
    text-decoration: none;
    transition: background var(--quick);
  }

  parley-sidebar .new .icon {
    color: var(--muted);
  }

  parley-sidebar .new:hover {
    background: var(--hover);
  }

  parley-sidebar .search {
    position: relative;
    display: block;
    margin-top: 8px;
  }

  parley-sidebar .search > .icon {
    position: absolute;
    inset-inline-start: 13px;
    top: 50%;
    color: var(--muted);
    transform: translateY(-50%);
    pointer-events: none;
  }

  parley-sidebar .search input {
    width: 100%;
    min-height: max(36px, var(--target));
    padding: 4px 38px;
    border: 1px solid transparent;
    border-radius: 12px;
    background: var(--hover);
    appearance: none;
    text-overflow: ellipsis;
  }

  parley-sidebar .search input::-webkit-search-cancel-button {
    display: none;
  }

  parley-sidebar .search input::placeholder {
    color: var(--muted);
    opacity: 1;
  }

  parley-sidebar .search input:focus-visible {
    outline-offset: -1px;
  }

  parley-sidebar .search .icon-button {
    position: absolute;
    inset-inline-end: 2px;
    inset-block: 0;
    height: auto;
  }

  parley-sidebar nav {
    flex: 1;
    min-height: 0;
    margin: 8px -10px 0;
    padding: 0 10px 12px;
    overflow-y: auto;
    scrollbar-width: thin;
  }

  parley-conversations[hidden] {
    display: none;
  }

  parley-conversations .folder {
    position: relative;
    display: flex;
    border-radius: 10px;
  }

  parley-conversations .folders > li {
    display: block;
  }

  parley-conversations .folder-name {
    display: flex;
    flex: 1;
    gap: 8px;
    align-items: center;
    min-width: 0;
    min-height: max(34px, var(--target));
    padding: 4px 8px;
    border-radius: 10px;
    text-align: start;
  }

  parley-conversations .folder-name > span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  parley-conversations .folder-name > .icon {
    color: var(--muted);
  }

  parley-conversations .folder-name > .icon:first-child {
    scale: var(--forward) 1;
  }

  parley-conversations .folder-name[aria-expanded="true"] > .icon:first-child {
    rotate: calc(90deg * var(--forward));
  }

  parley-conversations .folder:is(:hover, :focus-within) > .folder-name {
    padding-inline-end: calc(var(--target) + 4px);
    background: var(--hover);
  }

  parley-conversations .folders ul,
  parley-conversations .folders .none {
    padding-inline-start: 20px;
  }

  parley-conversations .folders .none {
    padding-block: 6px;
  }

  parley-conversations .folder > .icon-button {
    position: absolute;
    inset-block: 0;
    inset-inline-end: 2px;
    height: auto;
    opacity: 0;
  }

  parley-conversations .folder:is(:hover, :focus-within) > .icon-button {
    opacity: 1;
  }

  @media (hover: none) {
    parley-conversations .folder > .icon-button {
      opacity: 1;
    }

    parley-conversations .folder > .folder-name {
      padding-inline-end: calc(var(--target) + 4px);
    }
  }

  parley-sidebar .quiet-row {
    display: flex;
    gap: 10px;
    align-items: center;
    width: 100%;
    min-height: max(34px, var(--target));
    margin-top: 12px;
    padding: 4px 12px;
    border-radius: 10px;
    color: var(--muted);
    text-align: start;
  }

  parley-sidebar .quiet-row + .quiet-row {
    margin-top: 0;
  }

  parley-sidebar .quiet-row.back {
    margin-top: 0;
  }

  parley-sidebar .quiet-row:hover {
    background: var(--hover);
    color: var(--text);
  }

  parley-sidebar .quiet-row.back > .icon {
    scale: var(--forward) 1;
  }

  parley-sidebar .archive-heading:focus {
    outline: none;
  }

  parley-search-results .results > li > a {
    display: grid;
    gap: 2px;
    padding-block: 8px;
    white-space: normal;
  }

  parley-search-results .found-title {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  parley-search-results .excerpt {
    display: -webkit-box;
    overflow: hidden;
    color: var(--muted);
    font: var(--meta);
    overflow-wrap: anywhere;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
  }

  parley-search-results .tag {
    display: inline-flex;
    gap: 6px;
    align-items: center;
    color: var(--muted);
    font: var(--meta);
  }

  parley-search-results mark {
    border-radius: 3px;
    background: color-mix(in oklab, var(--accent) 22%, transparent);
    color: var(--text);
  }

  parley-sidebar h2 {
    padding: 12px 12px 6px;
    color: var(--muted);
    font: var(--meta);
  }

  parley-sidebar ul {
    padding: 0;
    list-style: none;
  }

  parley-sidebar li {
    position: relative;
    display: flex;
    border-radius: 10px;
  }

  parley-sidebar li > a {
    flex: 1;
    min-width: 0;
    min-height: max(34px, var(--target));
    padding: 7px 12px;
    overflow: hidden;
    border-radius: 10px;
    color: var(--text);
    line-height: 20px;
    text-align: var(--begin);
    text-decoration: none;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  @media (pointer: coarse) {
    parley-sidebar li > a {
      padding-block: 12px;
    }
  }

  parley-sidebar li:is(:hover, :focus-within) > a,
  parley-sidebar li > a[aria-current] {
    background: var(--hover);
  }

  /* Not by the title's own direction, which the link has. */
  parley-sidebar li:is(:hover, :focus-within):dir(ltr) > a {
    padding-right: calc(var(--target) + 4px);
  }

  parley-sidebar li:is(:hover, :focus-within):dir(rtl) > a {
    padding-left: calc(var(--target) + 4px);
  }

  parley-sidebar li > .icon-button {
    position: absolute;
    inset-block: 0;
    inset-inline-end: 2px;
    height: auto;
    opacity: 0;
  }

  parley-sidebar li:is(:hover, :focus-within) > .icon-button {
    opacity: 1;
  }

  /* Without a pointer to hover, only where one is. */
  @media (hover: none) {
    parley-sidebar li:dir(ltr) > a[aria-current] {
      padding-right: calc(var(--target) + 4px);
    }

    parley-sidebar li:dir(rtl) > a[aria-current] {
      padding-left: calc(var(--target) + 4px);
    }

    parley-sidebar li > a[aria-current] + .icon-button {
      opacity: 1;
    }
  }

  parley-sidebar .rename {
    flex: 1;
    min-width: 0;
    min-height: max(34px, var(--target));
    padding: 5px 11px;
    border: 1px solid var(--line-strong);
    border-radius: 10px;
    background: var(--raised);
  }

  parley-sidebar .rename:focus-visible {
    outline-offset: -1px;
  }

  parley-sidebar .none {
    padding: 14px 12px;
    color: var(--muted);
  }

  parley-sidebar .show-more {
    width: 100%;
    min-height: max(34px, var(--target));
    padding: 0 12px;
    border-radius: 10px;
    color: var(--muted);
    text-align: start;
  }

  parley-sidebar .show-more:hover {
    background: var(--hover);
    color: var(--text);
  }

  parley-sidebar .who {
    display: flex;
    align-items: center;
    gap: 10px;
    width: 100%;
    min-height: max(44px, var(--target));
    padding-block: 4px;
    padding-inline: 8px 10px;
    border-radius: 12px;
    text-align: start;
  }

  parley-sidebar .who:hover {
    background: var(--hover);
  }

  parley-sidebar .who .icon {
    color: var(--muted);
  }

  parley-sidebar .initial {
    display: grid;
    place-items: center;
    width: 28px;
    height: 28px;
    border: 1px solid var(--line);
    border-radius: 50%;
    background: var(--raised);
    font-size: 0.8125rem;
    font-weight: 550;
  }

  parley-sidebar .name {
    flex: 1;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  @media (forced-colors: active) {
    parley-search-results mark {
      background: Mark;
      color: MarkText;
    }

    parley-sidebar li > a[aria-current] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }

  /* A page at 400 %: all of it scrolls, not a list of one line. */
  @media (max-height: 360px) {
    .side:has(> parley-sidebar) {
      overflow-y: auto;
    }

    parley-sidebar {
      height: auto;
      min-height: 100%;
      overflow: visible;
    }

    parley-sidebar nav {
      flex: none;
      overflow: visible;
    }
  }
`;
