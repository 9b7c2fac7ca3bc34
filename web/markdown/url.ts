/**
 * Where a link of a message may lead: the whole URL, or undefined when it leads nowhere we know to be harmless. Only
 * absolute addresses: one without a scheme would point into this app.
 */
export function safeUrl(href: string): string | undefined {
  // Browsers skip controls and white space inside of a scheme; URL.parse does as they do.
  const url = URL.parse(href.trim());
  if (url === null) return undefined;
  switch (url.protocol) {
    case "http:":
    case "https:":
      return url.href;
    case "mailto:":
      return url.href;
    default:
      return undefined;
  }
}
