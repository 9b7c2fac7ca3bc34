/** What one can do here, once: the palette, the keys, the list of shortcuts and the message field all read this. */
import type { AppStore } from "../../store/app.ts";
import type { Keys } from "../../store/keys.ts";
import { ownershipOf } from "../../store/ownership.ts";
import type { Shell } from "../../store/shell.ts";
import { THEMES } from "../../store/theme.ts";
import { LOCALE_NAMES, LOCALES } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import type { icons } from "../icons.ts";
import { conversationCommands } from "./conversation-commands.ts";

export interface Command {
  readonly id: string;
  readonly section: "answer" | "page" | "choice";
  readonly name: string;
  readonly icon: keyof typeof icons;
  readonly keys?: readonly Keys[];
  /** What it is called after / in the message field. */
  readonly slash?: string;
  /** It is what is so already. */
  readonly chosen?: boolean;
  /** There is something to do. */
  readonly can: boolean;
  /** Lists close before. */
  readonly run: () => void;
}

/** Heard by the frame: only where nothing is open that Escape closes. */
const STOP_KEYS: Keys = { key: "Escape" };

const PALETTE_KEYS: Keys = { key: "k", command: true };
const NEW_KEYS: Keys = { key: "o", command: true, shift: true };
const HELP_KEYS: Keys = { key: "/", command: true };
/** Alone, so it is the reader's to switch off, and never heard while somebody writes. */
const HELP_KEY: Keys = { key: "?" };

/** In the order of the palette. Choices (themes, languages, models) are last: they are found by their names. */
export function commands(app: AppStore, shell: Shell): readonly Command[] {
  return [
    ...answerCommands(app, shell),
    ...conversationCommands(app),
    ...pageCommands(app, shell),
    ...choices(app, shell),
  ];
}

function answerCommands(app: AppStore, shell: Shell): readonly Command[] {
  const words = text().commands;
  const open = app.current.value;
  const running = open?.view.activeRun.value !== undefined;
  const last = open?.view.turns.value.at(-1)?.messages.at(-1);
  const answer = last?.role === "assistant" && !running ? last : undefined;
  return [
    {
      id: "stop",
      section: "answer",
      name: words.stop,
      icon: "stopped",
      keys: [STOP_KEYS],
      slash: "stop",
      can: running,
      run: () => app.current.peek()?.stop(),
    },
    {
      id: "new",
      section: "answer",
      name: words.newConversation,
      icon: "newChat",
      keys: [NEW_KEYS],
      slash: "new",
      can: true,
      run: () => {
        app.router.go({ kind: "home" });
        shell.writeHere();
      },
    },
    {
      id: "regenerate",
      section: "answer",
      name: words.regenerate,
      icon: "retry",
      slash: "again",
      can: answer?.status.value === "complete",
      run: () => {
        if (answer !== undefined) app.regenerate(answer.id);
      },
    },
    {
      id: "model",
      section: "answer",
      name: words.chooseModel,
      icon: "wrench",
      slash: "model",
      can: app.model.value !== undefined,
      run: () => shell.press(".composer [popovertarget=model-menu]"),
    },
    {
      id: "attach",
      section: "answer",
      name: words.attach,
      icon: "attach",
      slash: "attach",
      can: true,
      run: () => shell.press(".composer [data-attach]"),
    },
  ];
}

function pageCommands(app: AppStore, shell: Shell): readonly Command[] {
  const words = text().commands;
  const page = { section: "page", can: true } as const;
  return [
    {
      ...page,
      id: "palette",
      name: words.commands,
      icon: "search",
      keys: [PALETTE_KEYS],
      run: () => shell.open({ kind: "palette" }),
    },
    {
      ...page,
      id: "prompts",
      name: words.prompts,
      icon: "bookmark",
      slash: "prompts",
      run: () => shell.openSettings("prompts"),
    },
    {
      ...page,
      id: "settings",
      name: words.settings,
      icon: "settings",
      slash: "settings",
      run: () => shell.openSettings("general"),
    },
    {
      ...page,
      id: "notifications",
      name: words.notifications,
      icon: "bell",
      run: () => shell.openSettings("notifications"),
    },
    {
      ...page,
      id: "memory",
      name: words.memory,
      icon: "book",
      slash: "memory",
      run: () => shell.openSettings("memory"),
    },
    { ...page, id: "devices", name: words.devices, icon: "monitor", run: () => shell.openSettings("devices") },
    {
      ...page,
      id: "shortcuts",
      name: words.shortcuts,
      icon: "keyboard",
      keys: shell.singleKeys.value ? [HELP_KEYS, HELP_KEY] : [HELP_KEYS],
      slash: "help",
      run: () => shell.open({ kind: "shortcuts" }),
    },
    {
      ...page,
      id: "inspector",
      name: text().inspector.open,
      icon: "inspect",
      slash: "inspect",
      can: app.router.route.value.kind === "conversation",
      run: () => shell.inspect({ messageId: undefined }),
    },
    {
      ...page,
      id: "insights",
      name: text().insights.open,
      icon: "chart",
      can: ownershipOf(shell.client).value,
      run: () => app.router.go({ kind: "insights" }),
    },
    {
      ...page,
      id: "sign-out",
      name: words.signOut,
      icon: "logOut",
      run: () => void app.signOut().catch(() => undefined),
    },
  ];
}

function choices(app: AppStore, shell: Shell): readonly Command[] {
  const words = text().commands;
  const choice = { section: "choice", can: true } as const;
  const { themes } = text().sidebar;
  const { system } = text().settings;
  const chosenLanguage = shell.languages.chosen.value;
  const model = app.model.value;
  return [
    ...THEMES.map((theme): Command => ({
      ...choice,
      id: `theme ${theme}`,
      name: words.theme(themes[theme]),
      icon: theme === "light" ? "sun" : theme === "dark" ? "moon" : "monitor",
      chosen: shell.theme.value === theme,
      run: () => {
        shell.theme.value = theme;
      },
    })),
    ...(["system", ...LOCALES] as const).map((language): Command => ({
      ...choice,
      id: `language ${language}`,
      name: words.language(language === "system" ? system : LOCALE_NAMES[language]),
      icon: "globe",
      chosen: chosenLanguage === language,
      run: () => {
        shell.languages.chosen.value = language;
      },
    })),
    ...(app.models.value ?? []).flatMap(({ id, name, available }): Command[] =>
      available
        ? [
            {
              ...choice,
              id: `model ${id}`,
              name: words.model(name),
              icon: "wrench",
              chosen: model?.id === id || (model?.id === undefined && model?.name === name),
              run: () => app.chooseModel(id),
            },
          ]
        : [],
    ),
  ];
}
