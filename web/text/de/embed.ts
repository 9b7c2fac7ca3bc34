import type { embed as en } from "../en/embed.ts";

export const embed: typeof en = {
  conversation: "Chat",
  connecting: "Verbindung wird aufgebaut …",
  signingIn: "Diese Seite meldet dich gerade an …",
  noAnswer: "Der Server antwortet noch nicht. Es wird erneut versucht …",
  originTitle: "Diese Seite darf sich nicht verbinden",
  origin: (page: string, server: string) =>
    `Der Server ${server} nimmt keine Seiten von ${page} an. Wer ihn betreibt, kann das in PARLEY_ALLOWED_ORIGINS eintragen.`,
  policyTitle: "Diese Seite verbietet die Verbindung",
  policy: (sources: string) => `In ihrer Content Security Policy fehlt unter connect-src: ${sources}`,
  providerTitle: "Die Anmeldung ist nicht gelungen",
  provider: "Diese Seite hat dem Chat keine Anmeldung gegeben. Es wird erneut versucht …",
  refusedTitle: "Du bist nicht angemeldet",
  refused: "Die Anmeldung, die diese Seite gegeben hat, ist abgelaufen oder wurde abgelehnt.",
  closedTitle: "Es besteht keine Verbindung",
  addressTitle: "Dieser Chat hat keinen Server",
  address: (server: string) => `„${server}“ ist keine Adresse eines Servers. Sie sieht aus wie https://chat.example.`,
};
