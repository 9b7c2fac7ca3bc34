import type { AppStore } from "../../store/app.ts";
import { text } from "../../text/text.ts";
import type { Command } from "./commands.ts";

/** What one can do with the open conversation as a whole; nothing where none of the reader's own is open. */
export function conversationCommands(app: AppStore): readonly Command[] {
  const { id } = app.current.value ?? {};
  const conversation = id === undefined ? undefined : app.list.value?.find(id);
  if (conversation === undefined) return [];
  const words = text().conversations;
  const { organise } = app;
  const pinned = conversation.pinnedAt !== undefined;
  const archived = conversation.archivedAt !== undefined;
  const command = { section: "answer", can: true } as const;
  return [
    {
      ...command,
      id: "pin",
      name: pinned ? words.unpin : words.pin,
      icon: "pin",
      can: !archived,
      run: () => organise.pin(conversation, !pinned),
    },
    {
      ...command,
      id: "share",
      name: words.share,
      icon: "share",
      slash: "share",
      run: () => organise.open({ kind: "share", conversation }),
    },
    {
      ...command,
      id: "export markdown",
      name: words.exportMarkdown,
      icon: "download",
      slash: "export",
      run: () => organise.export(conversation, "markdown"),
    },
    {
      ...command,
      id: "export json",
      name: words.exportJson,
      icon: "download",
      run: () => organise.export(conversation, "json"),
    },
    {
      ...command,
      id: "archive",
      name: archived ? words.unarchive : words.archive,
      icon: "archive",
      run: () => organise.archive(conversation, !archived, true),
    },
    { ...command, id: "delete", name: words.delete, icon: "trash", run: () => organise.delete(conversation, true) },
  ];
}
