// Proxy advice. Whether curl in this shell would send a lesson's request to a proxy instead of to this machine.

/** The addresses that the lessons' commands use. */
const own = ["127.0.0.1", "localhost"];

/**
 * What a person whose shell names a proxy must do before the lessons' curl works: curl(1), "ENVIRONMENT".
 * @returns a sentence with a command; null where curl reaches this machine
 */
export function proxyAdvice(env: NodeJS.ProcessEnv): string | null {
  // curl reads http_proxy in small letters only: in a CGI program HTTP_PROXY is a header of the client's.
  const name = ["http_proxy", "all_proxy", "ALL_PROXY"].find(one => env[one]);
  if (!name) return null;
  const direct = (env.no_proxy ?? env.NO_PROXY ?? "").split(/[\s,]+/).filter(Boolean);
  if (direct.includes("*") || own.every(host => direct.includes(host))) return null;
  const all = [...new Set([...direct, ...own])].join(",");
  return `${name} is set, so curl would ask that proxy for your own programs, too. Before you use curl: export no_proxy=${all}`;
}
