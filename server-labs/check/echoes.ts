// Echoes. What the clients of a server get back that sends each client its own bytes.
import type { Client } from "../clients.ts";
import type { Tools } from "./tools.ts";

/** Waits until these clients have got as many bytes as they have sent. @returns how many of them have */
export async function countEchoed(
  { server, until }: Tools,
  said: ReadonlyMap<Client, string>,
): Promise<number> {
  const count = () => [...said].filter(([client, words]) => client.received.length >= words.length).length;
  await until(() => count() === said.size || server.stuck()?.call === "accept4", 3000);
  return count();
}

/** Each of these clients has got what it has sent, and no other byte. */
export function judgeEchoes({ expect }: Tools, said: ReadonlyMap<Client, string>): void {
  const wrong = [...said].find(([client, words]) => client.received.toString() !== words);
  expect(wrong?.[0].received ?? "", "The answer is not what the client sent.").equal(wrong?.[1] ?? "");
}
