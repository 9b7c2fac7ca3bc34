import type { signIn as en } from "../en/sign-in.ts";
import { plural } from "../locale.ts";

export const signIn: typeof en = {
  titles: {
    new: "Bei Parley anmelden",
    "link-refused": "Dieser Link hat nicht funktioniert",
    ended: "Deine Sitzung ist beendet",
    left: "Du bist abgemeldet",
  },
  ended:
    "Sie ist abgelaufen oder wurde auf einem anderen Gerät beendet. Deine Entwürfe sind noch da; melde dich an, um weiterzumachen.",
  withLink: "Mit einem Link",
  linkHelp:
    "Beim Start gibt der Server in seinem Terminal einen Link aus. Öffne ihn in diesem Browser. Er gilt einmal und zehn Minuten lang; ein Neustart gibt einen neuen aus.",
  linkSample: "So sieht der Link aus",
  withToken: "Mit einem Zugangstoken",
  tokenHelp: ["Der Wert von ", ", falls der Server damit gestartet wurde."],
  signIn: "Anmelden",
  signingIn: "Anmeldung läuft…",
  linkRefused:
    "Ein Anmeldelink gilt einmal und zehn Minuten lang: Dieser wurde schon benutzt oder ist zu alt. Starte den Server neu, um einen neuen zu erhalten, und öffne ihn hier.",
  tokenRefused:
    "Der Server kennt dieses Zugangstoken nicht. Vergleiche es mit dem, mit dem der Server gestartet wurde.",
  tooOften: "Es waren zu viele Versuche. Warte eine Minute und versuche es dann noch einmal.",
  tooOftenFor: (seconds) =>
    `Es waren zu viele Versuche. Versuche es in ${plural("de", seconds, { one: "# Sekunde", other: "# Sekunden" })} noch einmal.`,
  origin: "Der Server nimmt diese Adresse nicht an. Wer ihn betreibt, kann sie in PARLEY_ALLOWED_ORIGINS eintragen.",
  linkUnreachable:
    "Der Server war nicht zu erreichen. Öffne den Link noch einmal, wenn er läuft; er wurde nicht verbraucht.",
  unreachable: "Der Server war nicht zu erreichen. Versuche es noch einmal, wenn er läuft.",
};
