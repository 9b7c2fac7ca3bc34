import type { presence as en } from "../en/presence.ts";
import { plural } from "../locale.ts";

export const presence: typeof en = {
  elsewhere: "Auch auf einem anderen Gerät offen",
  typingElsewhere: "Auf einem anderen Gerät wird geschrieben…",
  here: (name) => `${name} ist hier`,
  hereToo: (name, more) =>
    plural("de", more, { one: `${name} und # weitere Person sind hier`, other: `${name} und # weitere sind hier` }),
  typing: (name) => `${name} schreibt…`,
  typingToo: (count) => plural("de", count, { one: "# Person schreibt…", other: "# Personen schreiben…" }),
};
