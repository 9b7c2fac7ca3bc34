import type { PresenceMember } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";

export interface PresenceLine {
  readonly text: string;
  readonly typing: boolean;
  /** The person's own other devices, and nobody else. */
  readonly own: boolean;
}

/** What there is to say of who else is here: people before devices, who types before who reads. */
export function presenceLine(others: readonly PresenceMember[], ownId: string | undefined): PresenceLine | undefined {
  const there = others.filter(({ state }) => state !== "away");
  const devices = there.filter(({ user }) => user.id === ownId);
  const strangers = there.filter(({ user }) => user.id !== ownId);
  const people = namesOf(strangers);
  const writers = namesOf(strangers.filter(isTyping));
  const words = text().presence;
  const [writer] = writers;
  if (writer !== undefined) {
    const line = writers.length === 1 ? words.typing(writer) : words.typingToo(writers.length);
    return { text: line, typing: true, own: false };
  }
  if (devices.some(isTyping)) return { text: words.typingElsewhere, typing: true, own: true };
  const [person] = people;
  if (person !== undefined) {
    const line = people.length === 1 ? words.here(person) : words.hereToo(person, people.length - 1);
    return { text: line, typing: false, own: false };
  }
  return devices.length === 0 ? undefined : { text: words.elsewhere, typing: false, own: true };
}

const isTyping = ({ state }: PresenceMember): boolean => state === "typing";

/** Names of the people, each once however many devices they have. */
const namesOf = (members: readonly PresenceMember[]): readonly string[] => [
  ...new Map(members.map(({ user }) => [user.id, user.name])).values(),
];
