// Another right answer, in another style: each client has a queue of what is to go out, views of what exists anyway.
// Requests are read while something is in the queue, and head and body are two sends, for which TCP_NODELAY is set.
import { readFileSync } from "node:fs";
import { IPPROTO_TCP, SOCK_NONBLOCK, Socket, SyscallError, sleep, TCP_NODELAY } from "workbook/net";

const pages: Record<string, Buffer> = {
  "/menu.txt": readFileSync("html/menu.txt"),
  "/large.bin": readFileSync("html/large.bin"),
};

class Visitor {
  #socket: Socket;
  #text = "";
  #out: Uint8Array[] = [];

  constructor(socket: Socket) {
    socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
    this.#socket = socket;
  }

  /** False when it is over. */
  turn(): boolean {
    try {
      // One who has asked for much and taken little is not listened to for a while.
      const words = this.#out.length < 100 ? this.#socket.recv(2000) : null;
      if (words?.length === 0) return this.#end();
      this.#text += words?.toString("latin1") ?? "";
      const heads = this.#text.split("\r\n\r\n");
      this.#text = heads.pop()!;
      if (this.#text.length > 50_000) return this.#end();
      for (const head of heads) this.#reply(head.split(" ")[1] ?? "?");
      this.#push();
      return true;
    } catch (error) {
      if (error instanceof SyscallError) return this.#end();
      throw error;
    }
  }

  #reply(path: string): void {
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const body = page ?? Buffer.from("not here\n");
    const status = page ? "200 OK" : "404 Not Found";
    this.#out.push(Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n`), body);
  }

  /** Until the kernel has enough, which it shows by taking less than it was offered. */
  #push(): void {
    let full = false;
    for (let budget = 8; budget > 0 && !full && this.#out.length > 0; budget--) {
      const offer = this.#out[0]!.subarray(0, 100_000);
      const took = this.#socket.send(offer) ?? 0;
      full = took < offer.length;
      this.#out[0] = this.#out[0]!.subarray(took);
      if (this.#out[0].length === 0) this.#out.shift();
    }
  }

  #end(): boolean {
    this.#socket.close();
    return false;
  }
}

const door = new Socket();
door.bind({ port: Number(process.argv[2]) });
door.listen();
door.setBlocking(false);

for (let visitors: Visitor[] = []; ; sleep(1)) {
  for (let come = door.accept(SOCK_NONBLOCK); come; come = door.accept(SOCK_NONBLOCK))
    visitors.push(new Visitor(come.client));
  visitors = visitors.filter(visitor => visitor.turn());
}
