import type { errors as en } from "../en/errors.ts";
import { toldBy } from "../told-errors.ts";

export const errors: typeof en = {
  told: toldBy({
    INTERNAL: "Auf dem Server ist ein Fehler aufgetreten.",
    FORBIDDEN: "Dazu bist du nicht berechtigt.",
    NOT_FOUND: "Das gibt es nicht, oder es ist für dich nicht sichtbar.",
    QUEUE_FULL:
      "In dieser Unterhaltung warten zu viele Nachrichten. Sende noch einmal, wenn eine davon beantwortet ist.",
    RATE_LIMITED: "Das waren zu viele Anfragen auf einmal. Warte einen Moment.",
    TOO_MANY_IN_FLIGHT: "Es warten zu viele Anfragen auf Antwort. Versuche es gleich noch einmal.",
    FRAME_TOO_LARGE: "Das ist zu lang zum Senden.",
    TIMEOUT: "Das hat zu lange gedauert. Versuche es noch einmal.",
    UNAVAILABLE:
      "Der Speicher des Servers ist gerade nicht erreichbar. Es wurde nichts geändert; versuche es noch einmal.",
    DRAINING: "Dieser Server wird gerade beendet. Die Verbindung wird neu aufgebaut.",
    MODEL_UNAVAILABLE: "Dieses Modell gibt es hier nicht.",
    MODEL_FAILED: "Das Modell ist ausgefallen. Du kannst es noch einmal versuchen.",
    MODEL_BUSY:
      "Der Anbieter des Modells ist überlastet oder begrenzt diesen Server. Du kannst es noch einmal versuchen.",
    MODEL_REFUSED_KEY: "Der Anbieter des Modells hat den Schlüssel dieses Servers abgelehnt.",
    CONTEXT_TOO_LONG:
      "Die Unterhaltung ist länger, als dieses Modell lesen kann, selbst ohne ihre ältesten Nachrichten. Beginne eine neue.",
    CONTENT_REFUSED: "Der Anbieter des Modells hat diesen Inhalt abgelehnt. Sag es anders.",
    RUN_LIMIT: "Die Antwort hat eine Grenze erreicht (Versuche, Zeit, Schritte oder Token) und wurde beendet.",
    TOO_MANY_CONNECTIONS: "Dieser Server hat so viele Verbindungen, wie er zulässt.",
    ALREADY_DECIDED: "Jemand anders hat das schon entschieden, und anders. Dabei bleibt es.",
    FILE_TOO_LARGE: "Eine Datei darf 10 MiB groß sein. Sende eine kleinere.",
    FILE_REFUSED: "Diese Art von Datei nimmt der Server nicht an.",
    TOO_MANY: "Davon hast du schon so viele, wie du haben kannst. Entferne zuerst etwas.",
  }),
  somethingFailed: "Das hat nicht geklappt. Versuche es noch einmal.",
  stillSignedIn: "Du bist noch angemeldet: Der Server war nicht zu erreichen. Versuche es noch einmal.",
  filesUploading: "Die Dateien sind noch unterwegs. Sende noch einmal, wenn sie da sind.",
  pageIncomplete: "Ein Teil dieser Seite konnte nicht geladen werden. Lade sie neu.",
};
