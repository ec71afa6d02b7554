// On which port the lab server listens: loopback only, IPv4 and IPv6, and the same port again next time.
import { createServer, type Server } from "node:http";

export interface Loopback {
  port: number;
  /** One for 127.0.0.1 and, where the machine has it, one for [::1]. */
  servers: Server[];
  /** Why it is not the port that was wanted; null if it is. */
  sentence: string | null;
}

const firstChoice = 7800;
const neighbours = 20;

/**
 * Listens on the asked port and no other; or on the remembered one, 7800 and the next 20, any, whichever is free
 * first. The servers have no listeners yet: attach them before the next turn of the event loop.
 * @throws Error with a sentence when the asked port is taken, or loopback cannot be listened on at all
 */
export async function listenOnLoopback(wish: {
  asked?: number;
  remembered?: number | null;
}): Promise<Loopback> {
  if (wish.asked !== undefined) {
    const servers = await tryPort(wish.asked);
    if (!servers)
      throw new Error(
        `Port ${wish.asked} is taken by another program. Ask for another one with --port, or leave it away.`,
      );
    return { port: portOf(servers), servers, sentence: null };
  }
  const near = Array.from({ length: neighbours + 1 }, (_, i) => firstChoice + i);
  const wanted = wish.remembered ?? firstChoice;
  for (const port of [wanted, ...near.filter(port => port !== wanted), 0]) {
    const servers = await tryPort(port);
    if (!servers) continue;
    const got = portOf(servers);
    const sentence =
      got === wanted ? null : `Port ${wanted} is taken by another program; this lab server is on ${got}.`;
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
    // The gate says 421 itself, in a sentence, when there is no Host.
    requireHostHeader: false,
    // Who sends one byte a second is not waited for: a connection costs a descriptor.
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
