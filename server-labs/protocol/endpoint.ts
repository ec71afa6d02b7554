// Endpoint. A host and a port as one text: "127.0.0.1:7890", and "[::1]:7890" as RFC 3986, section 3.2.2, wants it.

/** @param host a name, or an address without brackets */
export function formatEndpoint(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The host (without brackets) and the port of an endpoint; null when the text is not one. */
export function parseEndpoint(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match && port <= 65_535 ? { host: match[1] ?? match[2]!, port } : null;
}
