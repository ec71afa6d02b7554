// Listen. The lab server's port: on loopback only, IPv4 and IPv6, and the same port again next time.
import { createServer, type Server } from "node:http";

export interface Loopback {
  port: number;
  /** One for 127.0.0.1 and, where the machine has it, one for [::1]. */
  servers: Server[];
  /** Why it is another port than last time, in a sentence for the terminal; null if it is the same. */
  sentence: string | null;
}

const firstChoice = 7800;
const neighbours = 20;

/**
 * Listens on the asked port and no other; or on the remembered one, 7800 and the next 20, any, whichever is free
 * first. The servers have no listeners yet: attach them before the next turn of the event loop.
 * @throws Error with a sentence when the asked port is taken, or loopback cannot be listened on at all
 */
export async function listenOnLoopback(options: {
  asked?: number;
  remembered?: number | null;
}): Promise<Loopback> {
  if (options.asked !== undefined) {
    const servers = await tryPort(options.asked);
    if (!servers)
      throw new Error(
        `Port ${options.asked} is taken by another program. Ask for another one with --port, or leave it away.`,
      );
    return { port: portOf(servers), servers, sentence: null };
  }
  const near = Array.from({ length: neighbours + 1 }, (_, i) => firstChoice + i);
  const first = options.remembered ?? firstChoice;
  for (const port of [first, ...near.filter(port => port !== first), 0]) {
    const servers = await tryPort(port);
    if (!servers) continue;
    const got = portOf(servers);
    const sentence =
      got === first ? null : `Port ${first} is taken by another program; this lab server is on ${got}.`;
    return { port: got, servers, sentence };
  }
  throw new Error("No port is free on 127.0.0.1.");
}

/** Both families on one port, or null if one of them is taken: "localhost" may mean either. */
async function tryPort(port: number): Promise<Server[] | null> {
  const four = await listen(port, "127.0.0.1");
  if (four === "taken") return null;
  if (four === "absent")
    throw new Error("127.0.0.1 does not exist on this machine: is the loopback interface up?");
  const six = await listen(portOf([four]), "::1");
  if (six === "absent") return [four];
  if (six !== "taken") return [four, six];
  four.close();
  // With port 0 the kernel chose one that is free for IPv4 only; the next one it chooses is another.
  return port === 0 ? tryPort(0) : null;
}

function listen(port: number, host: string): Promise<Server | "taken" | "absent"> {
  const server = createServer({
    // The gate answers 421 itself, with a sentence, when there is no Host.
    requireHostHeader: false,
    // A client that sends one byte a second must not hold a connection: each costs a descriptor.
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5_000,
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve("taken");
      else if (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT") resolve("absent");
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function portOf(servers: Server[]): number {
  const address = servers[0]!.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return address.port;
}
