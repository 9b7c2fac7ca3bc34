/** What kind of file a model can be given, by its media type. */

/** As text, whole; undefined for what is not text. Bytes that are not UTF-8 become U+FFFD. */
export function attachedText(mediaType: string, data: Uint8Array): string | undefined {
  const type = baseType(mediaType);
  const isText =
    type.startsWith("text/") ||
    /[+/](?:json|xml|yaml)$/.test(type) ||
    ["application/javascript", "application/x-ndjson", "application/sql", "application/toml"].includes(type);
  return isText ? new TextDecoder().decode(data) : undefined;
}

/** Lower case, without parameters. */
export const baseType = (mediaType: string): string => (mediaType.split(";")[0] ?? "").trim().toLowerCase();

export const base64 = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");

/** Said to the model in place of a file that its provider does not take. */
export const unreadable = (name: string, mediaType: string): string =>
  `[The file ${JSON.stringify(name)} of type ${mediaType} can't be read by this model.]`;
