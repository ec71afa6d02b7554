// Shell commands. The limits of the commands that the page makes for a server of a student, which may never answer.

/** How long such a command goes on at most, in seconds; a client that stays does so for longer. */
const limits = { answer: 10, stay: 60 } as const;

/** `answer`: it waits for an answer. `stay`: it stays connected on purpose, or reads slowly. */
export type CommandLimit = keyof typeof limits;

/** The seconds of a limit, for a command that counts them itself. */
export const limitSeconds = (limit: CommandLimit): number => limits[limit];

/** A call of curl with its limit. @param words its other options and its addresses, as a shell reads them */
export function curlCommand(words: string, limit: CommandLimit = "answer"): string {
  return `curl --max-time ${limits[limit]} ${words}`;
}

/** Any other command with its limit. */
export function limitedCommand(command: string, limit: CommandLimit = "answer"): string {
  return `timeout ${limits[limit]} ${command}`;
}

/** How a reader talks to the server of a lab for the first time. @param http it is an HTTP server, else it reads lines */
export function firstCommand(port: number, http: boolean): string {
  return http
    ? curlCommand(`-i http://127.0.0.1:${port}/`)
    : `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; echo hello >&3; timeout 5 cat <&3'`;
}
