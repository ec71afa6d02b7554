// What a browser must not do with an answer of this server, whatever is in it: said with every answer, and every refusal.

/**
 * The headers of an answer.
 * @param host of the request, when it is one of ours: a header's text must not write our policy
 */
export function policyHeaders(host: string | null): Record<string, string> {
  const socket = host === null ? "" : ` ws://${host}`;
  return { ...securityHeaders, "Content-Security-Policy": policy(socket) };
}

const securityHeaders = {
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Frame-Options": "DENY",
};

function policy(socket: string): string {
  return [
    "default-src 'self'",
    // Monaco and xterm write style elements; Monaco starts its workers from blobs and its icons are data.
    "style-src 'self' 'unsafe-inline'",
    "worker-src 'self' blob:",
    "font-src 'self' data:",
    "img-src 'self' data:",
    `connect-src 'self'${socket}`,
    "object-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}
