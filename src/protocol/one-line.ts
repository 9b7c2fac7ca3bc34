/** A title or a name is one line: control characters would grow sixfold in JSON, and a page of titles must fit a frame. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, " ").trim();
