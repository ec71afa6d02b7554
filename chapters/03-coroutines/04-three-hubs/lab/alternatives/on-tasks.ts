// The library’s hub. runAsync has the loop around setImmediate, wait() makes a promise of what a task of this hub waits for,
// and Socket.close tells the hub by itself.
import { EPOLLIN, type Socket } from "workbook/net";
import { pass, readable, runAsync, wait, writable } from "workbook/tasks";
import { listen } from "../solution/clients.ts";

const hub = {
  spawn(task: () => Promise<void>): void {
    task().catch(error => console.error(`A task ended with an error: ${error}`));
  },
  wait(socket: Socket, events: number): Promise<void> {
    return wait(events === EPOLLIN ? readable(socket) : writable(socket));
  },
  pass(): Promise<void> {
    return wait(pass());
  },
  close(socket: Socket): void {
    socket.close();
  },
};

await runAsync(() => listen(hub, Number(process.argv[2])));
