import type { Conversation } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";

export const titleOf = ({ title }: Pick<Conversation, "title">): string =>
  title === "" ? text().common.newConversation : title;
